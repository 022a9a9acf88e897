"""Reads a source. One of a plugin is the user's code, which may do anything."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas.data.arrays import Arrays
from evonas.data.sources import Source
from evonas.errors import EvonasError, InvalidData, Issue
from evonas.files import kept_folder
from evonas.memory import Memory
from evonas.settings import Settings
from evonas.streams import kept_streams
from evonas.words import excerpt

NETWORKS = ("tensorflow", "keras")
"""What no process but a worker imports: it would take memory, and could hold a GPU."""


class ReadAhead:
    """Arrays that were read before there was a run, for the one who needs them first.

    They are handed over, not kept: a driver that keeps them has them in memory for a whole run.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays: Arrays | None = arrays

    def take(self) -> Arrays | None:
        """The arrays, the first time; None from then on."""
        arrays, self._arrays = self._arrays, None
        return arrays


def read(source: Source, memory: Memory, folder: Path | None = None) -> Arrays:
    """The arrays of a source.

    Args:
        folder: folder for files of samples that do not fit into memory; None for a temporary one.

    Raises:
        InvalidData: they cannot be read, or a plugin's source gives something else.
    """
    with users_code(source):
        found: Any = source.read(memory) if folder is None else source.read_into(folder, memory)
    if not isinstance(found, Arrays):
        kind = type(found).__name__
        raise InvalidData(Issue(f"read() must give Arrays. Received: {kind}.", file=named(source)))
    return found


def mark_of(source: Source) -> dict[str, str]:
    """What identifies the content of a source; empty if there is none to be read now.

    Raises:
        InvalidData: a plugin's source gives something else.
    """
    with users_code(source):
        found: Any = source.mark()
    are_words = isinstance(found, Mapping) and all(
        isinstance(word, str) for item in found.items() for word in item
    )
    if not are_words:
        message = "mark() must give words by words."
        raise InvalidData(Issue(f"{message} Received: {excerpt(repr(found))}.", file=named(source)))
    return dict(found)


def named(member: Settings) -> str:
    """A member of a plugin, as a config names it."""
    kind = type(member)
    return f"{kind.__module__}:{kind.__qualname__}"


@contextmanager
def users_code(member: Settings) -> Iterator[None]:
    """Calls a method of a source or a split; what a plugin's raises becomes an issue.

    Raises:
        InvalidData: it has raised, or has imported what only a worker may import.
    """
    # A fault of evonas is no issue of the user's data.
    if type(member).__module__.startswith("evonas."):
        yield
        return
    before = {library for library in NETWORKS if library in sys.modules}
    try:
        with kept_streams(), kept_folder():
            yield
    except EvonasError:
        raise
    # It may also call `sys.exit`.
    except (Exception, SystemExit) as error:
        # Its text is made by the user's code, too.
        *_, words = traceback.format_exception_only(error)
        message = f"has raised {excerpt(words.strip())}"
        raise InvalidData(Issue(message, file=named(member))) from error
    for library in NETWORKS:
        if library in sys.modules and library not in before:
            message = (
                f"has imported {library}. The search itself reads the data, and no network may"
                f" take it down. Allowed: reading without {library}."
            )
            raise InvalidData(Issue(message, file=named(member)))
