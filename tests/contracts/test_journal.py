"""Every journal keeps its contract: the record, and the one in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from evonas.runtime.loop.journal import Journal
from evonas.runtime.record.record import Record
from evonas.testing import JournalSuite
from evonas.testing.journal import MemoryJournal


@contextmanager
def record(folder: Path) -> Iterator[Callable[[], Journal]]:
    """A record, which one session at a time holds."""
    path = folder / "run.db"
    Record.create(path, {}, {})
    with ExitStack() as stack:

        def opened() -> Journal:
            stack.close()
            return stack.enter_context(Record(path))

        yield opened


@contextmanager
def memory(folder: Path) -> Iterator[Callable[[], Journal]]:
    journal = MemoryJournal()
    yield lambda: journal


class TestJournals(JournalSuite):
    members = {"record": record, "memory": memory}
