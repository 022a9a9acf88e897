"""Which code is the user's, and what identifies a file of it.

Code is the user's unless it is part of Python, of evonas or of an installed library. A package that
is installed for editing (`pip install -e`) lies in the user's own folder, and is the user's.
"""

from __future__ import annotations

import functools
import os
import sysconfig
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from evonas.files import sha256_of

UNREADABLE = "unreadable"
"""Takes the place of a sha256: Python has imported what had been compiled before."""
MISSING = "missing"
"""Takes the place of a sha256: nothing was found by this name, and the job has failed."""
OPTIONAL = "optional"
"""Likewise, and the job did without it."""
WORDS = frozenset({UNREADABLE, MISSING, OPTIONAL})
"""What may stand where a sha256 does."""

_EVONAS = Path(__file__).parents[2]
_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Names of folders that hold installed libraries."""


class Source(NamedTuple):
    """A file of the user's code.

    Attributes:
        sha256: of its content, or `UNREADABLE`.
        file: its path.
    """

    sha256: str
    file: str


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


def home_of(name: str, file: Path) -> Path:
    """The folder that holds a module, or the package that it is in."""
    depth = len(name.split("."))
    if file.stem == "__init__":
        depth += 1
    parents = file.parents
    return parents[min(depth, len(parents)) - 1]


def top_of(name: str) -> str:
    """The name of the package that a module is in, or its own."""
    return name.partition(".")[0]
