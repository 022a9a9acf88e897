"""Readers: they see whole transactions, and refuse politely what is no record."""

from __future__ import annotations

import contextlib
import sqlite3

import numpy as np
import pytest

from evonas.errors import InvalidRecord, UserError
from evonas.genome import sample
from evonas.runtime.record import checksum
from evonas.runtime.record.news import Mark
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.record.rows import settled
from evonas.runtime.record.schema import VERSION
from evonas.trial import Fidelity, Lineage, Outcome, Proposal, Trial, TrialState


@pytest.fixture
def path(tmp_path):
    Record.create(tmp_path / "run.db", {"config": {"seed": 0}}, {"data/x.npy": "ab"})
    return tmp_path / "run.db"


@pytest.fixture
def trials(small_space):
    rng = np.random.default_rng(0)
    lineages = [Lineage(("sample",)), Lineage(("crossover", "add"), (0, 1), 1)]
    return [
        Trial(i, Proposal(sample(small_space, rng), Fidelity(3), lineages[i > 1])) for i in range(3)
    ]


def test_a_reader_sees_a_run_that_goes_on_and_never_half_a_transaction(path, trials, loss):
    with Record(path) as record, RecordReader(path) as reader:
        record.commit_step([], trials[:1], {}, 0)
        assert len(reader.trials(loss)) == 1
        with pytest.raises(InvalidRecord), record._transaction():
            record._connection.execute(
                "insert into event (at, kind, detail) values (1, 'half', '{}')"
            )
            record._connection.execute(
                "insert into event (at, kind, detail) values (null, 'half', '{}')"
            )
        assert [kind for _, kind, _ in reader.events()] == ["opened"]


def test_a_missing_record_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="there is no run at"):
        RecordReader(tmp_path / "run.db")


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all, but long enough to be looked at" * 40]
)
def test_a_file_that_is_no_record_is_refused(tmp_path, content):
    (tmp_path / "run.db").write_bytes(content)
    with pytest.raises(InvalidRecord):
        RecordReader(tmp_path / "run.db")


def test_a_record_of_a_newer_evonas_is_refused(path):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("update meta set value = ? where key = 'schema'", (str(VERSION + 1),))
    connection.close()
    with pytest.raises(InvalidRecord, match="newer evonas"):
        RecordReader(path)


def test_a_record_with_code_of_sqls_is_refused(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "create trigger cheat after insert on attempt begin update trial set value = 5; end"
        )
        connection.commit()
    with pytest.raises(InvalidRecord, match=r"triggers or views \(cheat\)"):
        RecordReader(path)


def test_a_reader_that_follows_a_run_is_told_what_is_new(path, trials, loss, monkeypatch):
    with Record(path) as record, RecordReader(path) as reader:
        monkeypatch.setattr(checksum, "total", None)  # the whole sum is never verified

        def news(mark):
            found = reader.news(mark, loss)
            ids = [trial.id for trial in found.trials]
            return ids, [attempt.state for attempt in found.attempts], found

        record.commit_step([], trials[:2], {}, 0)
        ids, states, first = news(Mark())
        assert (ids, states) == ([0, 1], [])
        assert [kind for _, kind, _ in first.events] == ["opened"]
        assert reader.news(first.mark, loss) is None

        record.start_attempt(0)
        record.note_epochs({(0, 0): 2})
        ids, states, second = news(first.mark)
        assert (ids, states, second.attempts[0].epochs) == ([], ["running"], 2)

        metrics = {"val_loss": 0.5, "cut_short": 2.0}
        short = settled(trials[0], TrialState.OK, metrics, loss)
        record.finish_attempt(short, 0, Outcome(TrialState.OK, metrics), final=True)
        record.commit_step([], trials[2:], {}, 0)
        record.event("something", {"a": 1})
        ids, states, third = news(second.mark)
        assert (ids, states) == ([0, 2], ["ok"])
        assert third.trials[0] == short
        assert [event[1:] for event in third.events] == [("something", {"a": 1})]

        record.put_meta("result", {})
        assert news(third.mark)[0] == [], "what a deadline has ended is told once"
        record.resume(loss, None, is_late=False)
        ids, states, fourth = news(third.mark)
        assert (ids, states) == ([0], ["abandoned"])
        whole = settled(trials[0], TrialState.OK, {"val_loss": 0.4}, loss)
        record.finish_attempt(whole, record.start_attempt(0), Outcome(TrialState.OK), final=True)
        ids, states, fifth = news(fourth.mark)
        assert (ids, states) == ([0], ["abandoned", "ok"])
        assert list(fifth.mark.open) == [1, 2]
