"""What identifies the user's code that a process has really imported."""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from evonas.evaluate.contract.import_watch import PROCESS, absolute, counts
from evonas.evaluate.contract.user_code import (
    MISSING,
    OPTIONAL,
    Source,
    as_text,
    digest_of,
    file_of,
    home_of,
    is_users,
)

MOST_FILES = 1000
"""Files besides modules that count."""
LARGEST = 2**30
"""Bytes of a file besides modules that counts."""


class Imports:
    """What this process imports of the user's code from now on.

    Args:
        plugins: modules that the config lists.
        expected: what identifies the run's code, as name -> sha256.

    Attributes:
        latest: the one that was made last in this process, which works for one run at a time.
    """

    latest: ClassVar[Imports | None] = None

    def __init__(self, plugins: Sequence[str], expected: Mapping[str, str] | None = None) -> None:
        self._plugins = tuple(plugins)
        self._expected = dict(expected or {})
        self._told: dict[str, str] = {}
        self._changed: dict[str, Source] = {}
        self._modules = frozenset(sys.modules)
        self._loads = len(PROCESS.loads)
        self._read = len(PROCESS.read)
        self._mark = (-1, -1)
        self._files: dict[Path, Source] = {}
        self._missed: set[str] = set()
        # What others have missed before is none of this one's.
        PROCESS.missed.clear()
        Imports.latest = self

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
        for name, source in PROCESS.loads[self._loads :]:
            path = Path(source.file)
            homes.append(home_of(name, path))
            found[_free_name(name, path, found, homes)] = source
        compiled = {source.file for source in found.values()}
        for name in sorted({*sys.modules} - self._modules - {*found}):
            file = file_of(sys.modules.get(name))
            if file is None or str(file) in compiled or str(file) in PROCESS.written:
                continue
            if not counts(name, str(file)):
                continue
            homes.append(home_of(name, file))
            found[name] = self._source(file)
        if len(PROCESS.read) > self._read:
            self._add_files(found, homes)
        return found, homes

    def stale(self) -> list[str]:
        """What is expected, and was imported before with other code; Python imports it once."""
        found = {}
        for name, source in PROCESS.loads[: self._loads]:
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
        for file in list(PROCESS.read)[self._read :]:
            if file in modules or file in PROCESS.written:
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
        mark = (len(PROCESS.loads), len(sys.modules))
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
            is_own = absolute(source.file) in PROCESS.written
            if is_own and digest_of(Path(source.file)) != source.sha256:
                found[name] = source.file
        return found

    def _not_found(self, has_failed: bool) -> dict[str, Source]:
        """What was looked for since the last call, and was not found up to now.

        A name that nobody expects may be known to the driver, from another process.
        """
        if not PROCESS.missed:
            return {}
        # The import of a plugin is no job, and fails without one.
        has_failed = has_failed or any(name not in sys.modules for name in self._plugins)
        missed = dict(PROCESS.missed)
        PROCESS.missed.clear()
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


def code_now() -> dict[str, str]:
    """What this process has imported of the user's code by now, as name -> sha256."""
    if Imports.latest is None:
        return {}
    return {name: source.sha256 for name, source in Imports.latest.all().items()}


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
