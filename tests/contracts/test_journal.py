"""Every journal keeps its contract: the record, and the one in memory."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from evonas.runtime.loop.journal import Journal
from evonas.runtime.record.record import Record
from evonas.testing.journal import MemoryJournal
from evonas.testing.journal_contract import JournalContract


class TestRecord(JournalContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path):
        self.path = tmp_path / "run.db"
        Record.create(self.path, {}, {})
        with contextlib.ExitStack() as self.stack:
            yield

    def opened(self) -> Journal:
        self.stack.close()
        return self.stack.enter_context(Record(self.path))


class TestMemoryJournal(JournalContract):
    @pytest.fixture(autouse=True)
    def journal(self):
        self.memory = MemoryJournal()

    def opened(self) -> Journal:
        return self.memory
