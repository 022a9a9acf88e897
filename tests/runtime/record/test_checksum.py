"""The checksum: what evonas writes is followed, what anybody else writes is found."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from evonas.errors import InvalidRecord
from evonas.genome import sample
from evonas.runtime.record import checksum
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.record.rows import settled
from evonas.trial import Fidelity, Lineage, Outcome, Proposal, Trial, TrialState


@pytest.fixture
def path(tmp_path, small_space, loss):
    Record.create(tmp_path / "run.db", {"config": {"seed": 0}}, {"data/x.npy": "ab"})
    rng = np.random.default_rng(0)
    trials = [
        Trial(i, Proposal(sample(small_space, rng), Fidelity(3), Lineage(("sample",))))
        for i in range(3)
    ]
    done = settled(trials[0], TrialState.OK, {"val_loss": -0.0}, loss)
    with Record(tmp_path / "run.db", clock=lambda: 5) as record:
        record.commit_step([], trials, {"asked": 3}, 0)
        number = record.start_attempt(0)
        outcome = Outcome(
            TrialState.OK, done.metrics, 3, 1.5, {"val_loss": [None]}, files={"weights/0.npz": "cd"}
        )
        record.finish_attempt(done, number, outcome, final=True)
        record.commit_step([done], [], {"asked": 3}, 1)
        record.event("note", {"words": "ünïcode, 'quotes' and\nlines"})
        record.put_meta("config", {"seed": 0})
        record.seal()
    return tmp_path / "run.db"


def tamper(path, statement):
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def test_the_sum_follows_everything_that_the_writer_does(path):
    with RecordReader(path) as record:
        record.verify()
    with Record(path) as record:
        record.verify()


@pytest.mark.parametrize(
    "statement",
    [
        "update trial set metrics = '{\"val_loss\":0.1}' where id = 0",
        "update trial set state = 'ok' where id = 2",
        "update trial set told = 0",
        "delete from trial where id = 2",
        "update meta set value = '{\"seed\":1}' where key = 'config'",
        "update meta set value = replace(value, '3', '4') where key = 'strategy'",
        "delete from meta where key = 'strategy'",
        "delete from meta where key = 'checksum'",
        "update attempt set seconds = 2",
        "update file set sha256 = 'ef' where trial is null",
        "delete from event where id = 1",
        "insert into event (at, kind, detail) values (0, 'made up', '{}')",
    ],
)
def test_what_somebody_else_changes_is_found_by_a_reader_and_by_a_writer(path, statement):
    tamper(path, statement)
    with RecordReader(path) as record, pytest.raises(InvalidRecord, match="is damaged"):
        record.verify()
    before = path.read_bytes()
    with pytest.raises(InvalidRecord, match=r"is damaged: .* Put a copy"):
        Record(path)
    assert path.read_bytes() == before, "nothing is written to a damaged record"


def test_a_transaction_that_is_taken_back_is_no_part_of_the_sum(path):
    with Record(path) as record:
        with pytest.raises(ZeroDivisionError), record._transaction():
            record._put("half", 1)
            raise ZeroDivisionError
        record.put_meta("whole", 1)
    with RecordReader(path) as reader:
        reader.verify()
        assert not reader.has_meta("half")


def test_a_hash_tells_kinds_of_values_apart_and_not_how_sqlite_keeps_a_number():
    assert checksum.row_hash("t", [1]) == checksum.row_hash("t", [1.0])
    assert checksum.row_hash("t", [0.0]) == checksum.row_hash("t", [-0.0])
    different = [
        ["1"],
        [1],
        [None],
        ["null"],
        ["number 1.0"],
        ["", ""],
        [""],
        ["a", "b"],
        ["a\n1 b"],
        ["b", "a"],
    ]
    assert len({checksum.row_hash("t", values) for values in different}) == len(different)
    assert checksum.row_hash("t", [1]) != checksum.row_hash("u", [1])
