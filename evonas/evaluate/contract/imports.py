"""What identifies the user's code that a process has really imported.

Code is the user's unless it is part of Python, of evonas or of an installed library. A package that
is installed for editing (`pip install -e`) lies in the user's own folder, and is the user's.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import stat
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from evonas.evaluate.contract.importing import add_folder
from evonas.files import kept_folder, sha256_of
from evonas.streams import kept_streams

UNREADABLE = "unreadable"
"""Takes the place of a sha256: Python has imported what had been compiled before."""
MISSING = "missing"
"""Takes the place of a sha256: nothing was found by this name, and the job has failed."""
OPTIONAL = "optional"
"""Likewise, and the job did without it."""
WORDS = frozenset({UNREADABLE, MISSING, OPTIONAL})
"""What may stand where a sha256 does."""
MOST_FILES = 1000
"""Files besides modules that count."""
LARGEST = 2**30
"""Bytes of a file besides modules that counts."""

_EVONAS = Path(__file__).parents[2]
_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Names of folders that hold installed libraries."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


class Source(NamedTuple):
    """A file of the user's code.

    Attributes:
        sha256: of its content, or `UNREADABLE`.
        file: its path.
    """

    sha256: str
    file: str


class _Load(NamedTuple):
    """A module that was compiled from its source in this process."""

    name: str
    source: Source


class _Process:
    """What this process has done since it first imported code of the user's.

    Attributes:
        loads: modules that were compiled, in order.
        missed: modules that were looked for and not found since somebody last asked, each with the
            file that could not be read, or an empty text.
        listed: plugins. They count also if they are installed, with their packages.
        read: files that were opened for reading while plugins were imported, in order.
        written: files that were opened for writing then, or that another one was renamed to.
        is_heard: whether the audit hook is in place; nothing can take it away again.
        is_importing: whether plugins are imported now.
        current: who looks at the imports of the run that this process works for.
    """

    def __init__(self) -> None:
        self.loads: list[_Load] = []
        self.missed: dict[str, str] = {}
        self.listed: set[str] = set()
        self.read: dict[str, None] = {}
        self.written: set[str] = set()
        self.is_heard = False
        self.is_importing = False
        self.current: Imports | None = None


_PROCESS = _Process()
_GET_CODE = SourceFileLoader.get_code


def _compiled(loader: SourceFileLoader, name: str) -> CodeType | None:
    """As `SourceFileLoader.get_code`, but a module of the user's is compiled from its source.

    What Python keeps in `__pycache__` may be of an earlier source: it compares only the length and
    the second of the last change. And only here are the very bytes at hand that are compiled.
    """
    if not _counts(name, loader.path):
        return _GET_CODE(loader, name)
    try:
        data = loader.get_data(loader.path)
    except OSError:
        _PROCESS.missed[name] = loader.path
        raise
    # What the code itself has written is no part of it.
    if _absolute(loader.path) not in _PROCESS.written:
        source = Source(hashlib.sha256(data).hexdigest(), loader.path)
        _PROCESS.loads.append(_Load(name, source))
    return loader.source_to_code(data, loader.path)


class _Last(MetaPathFinder):
    """The last of all finders. It is asked only for a module that no other finder has found.

    The exception would not tell: the code may catch it, and the file may be back a moment later.
    """

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        _PROCESS.missed[fullname] = ""


_LAST = _Last()


@contextmanager
def watched(plugins: Sequence[str]) -> Iterator[None]:
    """Within it, modules of the user's are compiled from their sources, and that is noted.

    So is what is looked for and not found.

    Args:
        plugins: modules that the config lists.
    """
    _PROCESS.listed.update(_top(name) for name in plugins)
    before = SourceFileLoader.get_code
    # A finder in `sys.meta_path` would not see a module that the user's code loads from a path.
    SourceFileLoader.get_code = _compiled  # type: ignore[assignment, method-assign]
    sys.meta_path.append(_LAST)
    try:
        yield
    finally:
        # The code may have put another list there.
        with suppress(ValueError):
            sys.meta_path.remove(_LAST)
        SourceFileLoader.get_code = before  # type: ignore[method-assign]


@contextmanager
def importing(plugins: Sequence[str]) -> Iterator[None]:
    """As `watched`, for the import of the plugins: files that are opened meanwhile are noted, too.

    Whatever the plugins do to the streams or to the current folder is undone.
    """
    if not _PROCESS.is_heard:
        sys.addaudithook(_hear)
        _PROCESS.is_heard = True
    with watched(plugins), kept_streams(), kept_folder():
        _PROCESS.is_importing = True
        try:
            yield
        finally:
            _PROCESS.is_importing = False


def import_plugins(plugins: Sequence[str], folder: str) -> None:
    """Import the plugins, in this order.

    What fails here is left to the job that needs it, which fails again with the same words.

    Args:
        folder: folder of the config, in which plugins may lie.
    """
    add_folder(folder)
    with importing(plugins):
        for name in plugins:
            # Also an exit: the code is the user's.
            with suppress(BaseException):
                importlib.import_module(name)


def code_now() -> dict[str, str]:
    """What this process has imported of the user's code by now, as name -> sha256."""
    if _PROCESS.current is None:
        return {}
    return {name: source.sha256 for name, source in _PROCESS.current.all().items()}


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note which files are opened while plugins are imported. It is called for all that happens."""
    if not _PROCESS.is_importing or event not in ("open", "os.rename"):
        return
    # An audit hook that raises would end the call that it hears of.
    with suppress(Exception):
        if event == "os.rename":
            _PROCESS.written.add(_absolute(arguments[1]))
        # A number stands for a file that is open already.
        elif not isinstance(arguments[0], int):
            path = _absolute(arguments[0])
            if arguments[2] & _WRITING:
                _PROCESS.written.add(path)
            else:
                _PROCESS.read[path] = None


def _absolute(path: str | bytes | os.PathLike[str]) -> str:
    # Not `resolve`: a module has the path by which it was found, through links.
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100


class Imports:
    """What this process imports of the user's code from now on.

    Args:
        plugins: modules that the config lists.
        expected: what identifies the run's code, as name -> sha256.
    """

    def __init__(self, plugins: Sequence[str], expected: Mapping[str, str] | None = None) -> None:
        self._plugins = tuple(plugins)
        self._expected = dict(expected or {})
        self._told: dict[str, str] = {}
        self._changed: dict[str, Source] = {}
        self._modules = frozenset(sys.modules)
        self._loads = len(_PROCESS.loads)
        self._read = len(_PROCESS.read)
        self._mark = (-1, -1)
        self._files: dict[Path, Source] = {}
        self._missed: set[str] = set()
        # What others have missed before is none of this one's.
        _PROCESS.missed.clear()
        _PROCESS.current = self

    def all(self) -> dict[str, Source]:
        """Everything that was imported since, by name.

        A file that is no module has its path below the folder of the plugins as its name.
        """
        found, _ = self._found()
        return dict(sorted(as_text(name, source) for name, source in found.items()))

    def _found(self) -> tuple[dict[str, Source], list[Path]]:
        """As `all`, and the folders of the modules."""
        found: dict[str, Source] = {}
        homes: list[Path] = []
        for name, source in _PROCESS.loads[self._loads :]:
            path = Path(source.file)
            homes.append(home_of(name, path))
            found[_free_name(name, path, found, homes)] = source
        compiled = {source.file for source in found.values()}
        for name in sorted({*sys.modules} - self._modules - {*found}):
            file = file_of(sys.modules.get(name))
            if file is None or str(file) in compiled or str(file) in _PROCESS.written:
                continue
            if not _counts(name, str(file)):
                continue
            homes.append(home_of(name, file))
            found[name] = self._source(file)
        if len(_PROCESS.read) > self._read:
            self._add_files(found, homes)
        return found, homes

    def stale(self) -> list[str]:
        """What is expected, and was imported before with other code; Python imports it once."""
        found = {}
        for name, source in _PROCESS.loads[: self._loads]:
            if _is_live(name, source.file):
                found[name] = source.sha256
        expected = self._expected
        return sorted(name for name in found if expected.get(name, found[name]) != found[name])

    def _add_files(self, found: dict[str, Source], homes: Sequence[Path]) -> None:
        """Add the files that were read during the import, below the folders of the modules."""
        modules = {source.file for source in found.values()}
        for module in list(sys.modules.values()):
            modules.add(str(file_of(module)))
        most = len(found) + MOST_FILES
        gone: dict[str, Source] = {}
        for file in list(_PROCESS.read)[self._read :]:
            if file in modules or file in _PROCESS.written:
                continue
            path = Path(file)
            name = _name_below(path, homes)
            if name is None or name in found or not is_users(file):
                continue
            if name in self._expected and not path.exists():
                gone[name] = Source(MISSING, file)
            if not _is_moderate(path):
                continue
            found[name] = self._source(path)
            if len(found) == most:
                break
        for name, source in gone.items():
            # The code may have looked for it in several folders.
            found.setdefault(name, source)

    def _source(self, file: Path) -> Source:
        """What identifies a file. It is read once: the code may change a file of its own later."""
        known = self._files.get(file)
        if known is None:
            known = Source(digest_of(file), str(file))
            self._files[file] = known
        return known

    def news(self, has_failed: bool = False) -> dict[str, Source]:
        """What is new since the last call, and always what is not as expected.

        From the first change on, all that this process does is done by changed code.

        Args:
            has_failed: whether the job of this call has failed with an error. What it has looked
                for and not found is then `MISSING`, otherwise `OPTIONAL`.
        """
        if not self._plugins:
            return {}
        return {**self._new(), **self._not_found(has_failed)}

    def _new(self) -> dict[str, Source]:
        """What was imported, as `news` tells it."""
        # A function may be called thousands of times a second.
        mark = (len(_PROCESS.loads), len(sys.modules))
        if mark == self._mark:
            return dict(self._changed)
        self._mark = mark
        news = {}
        for name, source in self.all().items():
            if self._expected.get(name, source.sha256) != source.sha256:
                self._changed[name] = source
            elif name not in self._expected and self._told.get(name) != source.sha256:
                news[name] = source
                self._told[name] = source.sha256
        return {**self._changed, **news}

    def rewritten(self) -> dict[str, str]:
        """Modules whose files the code itself has changed after their import, as name -> file.

        Each process would compile another text.
        """
        found = {}
        for name, source in self.all().items():
            is_own = _absolute(source.file) in _PROCESS.written
            if is_own and digest_of(Path(source.file)) != source.sha256:
                found[name] = source.file
        return found

    def _not_found(self, has_failed: bool) -> dict[str, Source]:
        """What was looked for since the last call, and was not found up to now.

        A name that nobody expects may be known to the driver, from another process.
        """
        if not _PROCESS.missed:
            return {}
        # The import of a plugin is no job, and fails without one.
        has_failed = has_failed or any(name not in sys.modules for name in self._plugins)
        missed = dict(_PROCESS.missed)
        _PROCESS.missed.clear()
        result = {}
        for name, file in missed.items():
            # The code may have looked in another folder then.
            if name in sys.modules:
                continue
            if file:
                found, homes = self._found()
                name = _free_name(name, Path(file), found, homes)
            is_known = name in self._expected or name in self._told
            if name in self._missed and not (is_known and has_failed):
                continue
            self._missed.add(name)
            source = Source(MISSING if has_failed else OPTIONAL, file)
            known_as, source = as_text(name, source)
            result[known_as] = source
        return result


def _free_name(name: str, path: Path, found: Mapping[str, Source], homes: Sequence[Path]) -> str:
    """The name of what was loaded; code may load several files under one name, from their paths."""
    words = name.split(".")
    is_usual = path.with_suffix("").parts[-len(words) :] == tuple(words)
    is_usual |= path.parts[-len(words) - 1 : -1] == tuple(words)
    before = found.get(name)
    if is_usual and (before is None or before.file == str(path)):
        return name
    return _name_below(path, homes) or path.name


def _name_below(path: Path, homes: Sequence[Path]) -> str | None:
    """The path below one of these folders; None if it is below none, or hidden there.

    Libraries keep what they have found out in hidden folders, and change it at any time.
    """
    for home in homes:
        if path.is_relative_to(home):
            below = path.relative_to(home)
            if any(part.startswith(".") or part == "__pycache__" for part in below.parts):
                return None
            return below.as_posix()
    return None


def _is_moderate(path: Path) -> bool:
    """Whether this is a file, and not too large to be read each time."""
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST


def _is_live(name: str, file: str) -> bool:
    """Whether a module is still the one that was loaded from this file."""
    return str(file_of(sys.modules.get(name))) == file


def home_of(name: str, file: Path) -> Path:
    """The folder that holds a module, or the package that it is in."""
    depth = len(name.split("."))
    if file.stem == "__init__":
        depth += 1
    parents = file.parents
    return parents[min(depth, len(parents)) - 1]


def _counts(name: str, file: str) -> bool:
    """Whether a module identifies the user's code."""
    return _top(name) in _PROCESS.listed or is_users(file)


def _top(name: str) -> str:
    """The name of the package that a module is in, or its own."""
    return name.partition(".")[0]


def is_users(file: str) -> bool:
    """Whether a file is no part of Python, of evonas or of an installed library."""
    path = Path(file)
    if not _INSTALLED.isdisjoint(path.parts):
        return False
    standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), _EVONAS)
    if any(path.is_relative_to(place) for place in standard if place):
        return False
    # `pip install --target` puts libraries into any folder.
    for folder in path.parents:
        first = path.relative_to(folder).parts[0]
        if first in _installed_in(str(folder)):
            return False
    return True


@functools.cache
def _installed_in(folder: str) -> frozenset[str]:
    """The names in a folder that libraries have there, by what their installer has written."""
    found = set()
    for record in Path(folder).glob("*.dist-info/RECORD"):
        with suppress(OSError):
            for line in record.read_text(encoding="utf-8", errors="replace").splitlines():
                found.add(line.partition(",")[0].partition("/")[0])
    return frozenset(found)


def file_of(module: ModuleType | None) -> Path | None:
    """The file of a module, source or binary, or the archive that holds it; None without one."""
    # Code may put any object in the place of a module, with attributes of its own.
    try:
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
    except Exception:
        return None
    if not isinstance(origin, str):
        return None
    path = Path(origin)
    for file in (path, *path.parents):
        if file.is_file():
            return file
    return None


def digest_of(file: Path) -> str:
    """The sha256 of a file, or `UNREADABLE`."""
    try:
        return sha256_of(file)
    # It was imported from what Python had compiled before.
    except OSError:
        return UNREADABLE


def as_text(name: str, source: Source) -> tuple[str, Source]:
    """Both as text that can be recorded: not the name of each file is UTF-8."""
    sha256, file = source
    name, file = (os.fsencode(text).decode("utf-8", "backslashreplace") for text in (name, file))
    return name, Source(sha256, file)
