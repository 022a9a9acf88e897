"""Notes what this process imports of the user's code, and which files it opens meanwhile."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any, NamedTuple

from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.contract.user_code import Source, is_users, top_of
from evonas.files import kept_folder
from evonas.streams import kept_streams

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


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
    """

    def __init__(self) -> None:
        self.loads: list[_Load] = []
        self.missed: dict[str, str] = {}
        self.listed: set[str] = set()
        self.read: dict[str, None] = {}
        self.written: set[str] = set()
        self.is_heard = False
        self.is_importing = False


PROCESS = _Process()
_GET_CODE = SourceFileLoader.get_code


@contextmanager
def watched(plugins: Sequence[str]) -> Iterator[None]:
    """Within it, modules of the user's are compiled from their sources, and that is noted.

    So is what is looked for and not found.

    Args:
        plugins: modules that the config lists.
    """
    PROCESS.listed.update(top_of(name) for name in plugins)
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
    if not PROCESS.is_heard:
        sys.addaudithook(_hear)
        PROCESS.is_heard = True
    with watched(plugins), kept_streams(), kept_folder():
        PROCESS.is_importing = True
        try:
            yield
        finally:
            PROCESS.is_importing = False


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


def _compiled(loader: SourceFileLoader, name: str) -> CodeType | None:
    """As `SourceFileLoader.get_code`, but a module of the user's is compiled from its source.

    What Python keeps in `__pycache__` may be of an earlier source: it compares only the length and
    the second of the last change. And only here are the very bytes at hand that are compiled.
    """
    if not counts(name, loader.path):
        return _GET_CODE(loader, name)
    try:
        data = loader.get_data(loader.path)
    except OSError:
        PROCESS.missed[name] = loader.path
        raise
    # What the code itself has written is no part of it.
    if absolute(loader.path) not in PROCESS.written:
        source = Source(hashlib.sha256(data).hexdigest(), loader.path)
        PROCESS.loads.append(_Load(name, source))
    return loader.source_to_code(data, loader.path)


class _Last(MetaPathFinder):
    """The last of all finders. It is asked only for a module that no other finder has found.

    The exception would not tell: the code may catch it, and the file may be back a moment later.
    """

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        PROCESS.missed[fullname] = ""


_LAST = _Last()


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note which files are opened while plugins are imported. It is called for all that happens."""
    if not PROCESS.is_importing or event not in ("open", "os.rename"):
        return
    # An audit hook that raises would end the call that it hears of.
    with suppress(Exception):
        if event == "os.rename":
            PROCESS.written.add(absolute(arguments[1]))
        # A number stands for a file that is open already.
        elif not isinstance(arguments[0], int):
            path = absolute(arguments[0])
            if arguments[2] & _WRITING:
                PROCESS.written.add(path)
            else:
                PROCESS.read[path] = None


def counts(name: str, file: str) -> bool:
    """Whether a module identifies the user's code."""
    return top_of(name) in PROCESS.listed or is_users(file)


def absolute(path: str | bytes | os.PathLike[str]) -> str:
    # Not `resolve`: a module has the path by which it was found, through links.
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100
