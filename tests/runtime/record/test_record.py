"""The record: whole transactions, one plain file at the end, polite refusals."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import InvalidRecord
from evonas.genome import sample
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.record.rows import settled
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


def test_what_is_written_is_read_back(path, trials, loss):
    done = settled(trials[0], TrialState.OK, {"val_loss": 0.25, "val_accuracy": 0.9}, loss)
    outcome = Outcome(
        TrialState.OK,
        done.metrics,
        3,
        1.5,
        {"val_loss": [0.5, None, 0.25]},
        files={"weights/00000.npz": "cd"},
    )
    with Record(path) as record:
        record.commit_step([], trials, {"asked": 3}, 0)
        number = record.start_attempt(0)
        record.finish_attempt(done, number, outcome, final=True)
        record.commit_step([done], [], {"asked": 3}, 1)
    with RecordReader(path) as reader:
        assert reader.trials(loss) == [done, *trials[1:]]
        assert reader.told_order() == [0]
        assert reader.meta("strategy") == {"asked": 3}
        assert reader.meta("config") == {"seed": 0}
        (attempt,) = reader.attempts(0)
        assert (attempt.state, attempt.epochs, attempt.seconds) == ("ok", 3, 1.5)
        assert attempt.history == {"val_loss": [0.5, None, 0.25]}
        assert reader.files(0) == {"weights/00000.npz": "cd"}
        assert reader.files() == {"weights/00000.npz": "cd", "data/x.npy": "ab"}


def test_attempts_without_an_outcome_are_abandoned_by_the_next_session(path, trials):
    with Record(path) as record:
        record.commit_step([], trials, {}, 0)
        record.start_attempt(0)
        assert record.session == 1
    with Record(path) as record:
        assert record.session == 2
        assert [attempt.state for attempt in record.attempts(0)] == ["abandoned"]
        assert record.start_attempt(0) == 1


def test_a_sealed_record_is_one_plain_file_that_can_be_read_without_write_access(
    path, trials, loss
):
    with Record(path) as record:
        record.commit_step([], trials, {}, 0)
        record.seal()
        assert not path.with_name("run.db-wal").exists()
    assert not path.with_name("run.db-shm").exists()
    with RecordReader(path) as reader:
        assert reader.meta("sealed") is True
        assert len(reader.trials(loss)) == 3


def test_numbers_that_are_not_finite_never_reach_the_record(path, trials):
    with Record(path) as record:
        record.commit_step([], trials, {}, 0)
        number = record.start_attempt(0)
        with pytest.raises(ValueError, match="JSON"):
            record.finish_attempt(
                trials[0], number, Outcome(TrialState.OK, history={"loss": [float("nan")]}), True
            )
        assert record.attempts(0)[0].state == "running"


def test_what_sessions_have_worked_is_kept_with_each_transaction(path, trials):
    seconds = [10.0]
    with Record(path) as record:
        assert record.worked_seconds() == 0.0
        record.count_seconds(lambda: seconds[0])
        record.commit_step([], trials, {}, 0)
        seconds[0] += 2.5
        number = record.start_attempt(0)
        seconds[0] += 600.0
        record.note_epochs({})
        assert record.worked_seconds() == 612.5
        record.finish_attempt(trials[0], number, Outcome(TrialState.ERROR, seconds=1.0), True)
        record.count_seconds(None)
        seconds[0] += 600.0
        record.put_meta("result", {})
    with RecordReader(path) as reader:
        reader.verify()
        assert reader.worked_seconds() == 612.5
    # The next session begins with them.
    with Record(path) as record:
        assert record.worked_seconds() == 612.5


@pytest.mark.parametrize("jump", [0.0, 3600.0, -3600.0])
def test_an_older_record_has_only_times_and_no_jump_makes_an_hour_of_work(path, trials, jump):
    """Two sessions that worked 4 s and 2 s, as an evonas that kept no seconds has recorded them."""
    now = [1000.0]
    for session, id in enumerate((0, 1)):
        with Record(path, clock=lambda: now[0]) as record:
            if session == 0:
                record.commit_step([], trials, {}, 0)
            number = record.start_attempt(id)
            seconds = (4.0, 2.0)[session]
            now[0] += seconds + jump
            outcome = Outcome(TrialState.ERROR, seconds=seconds)
            record.finish_attempt(trials[id], number, outcome, True)
            # A third trial was abandoned: nobody knows how long it was trained.
            record.start_attempt(2)
    with RecordReader(path) as reader:
        assert not reader.has_meta("worked")
        if jump >= 0:
            assert reader.worked_seconds() == 6.0
        assert 0.0 <= reader.worked_seconds() <= 6.0


def test_seconds_that_are_no_number_are_damage(path):
    with Record(path) as record:
        record.put_meta("worked", "a while")
    with RecordReader(path) as reader, pytest.raises(InvalidRecord, match="damaged"):
        reader.worked_seconds()
