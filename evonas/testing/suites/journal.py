"""What every journal promises: whatever was kept is what the next session begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import pytest

from evonas.genome import parse_space, sample
from evonas.runtime.loop.journal import Journal
from evonas.runtime.record.past import Past
from evonas.runtime.record.rows import settled
from evonas.testing.runs import WIDE_SPACE
from evonas.testing.suites.suite import Suite
from evonas.trial import (
    ABANDONED,
    Details,
    Fidelity,
    Lineage,
    Objective,
    Outcome,
    Proposal,
    Trial,
    TrialState,
)

LOSS = Objective("val_loss", "min")

Kept = Callable[[Path], AbstractContextManager[Callable[[], Journal]]]


class Begin(Protocol):
    """Opens the next session of one journal: a session's journal, and what it begins with."""

    def __call__(
        self, limit: float | None = None, is_late: bool = False
    ) -> tuple[Journal, Past]: ...


class JournalSuite(Suite):
    """The suite of what keeps a run.

    Class attributes:
        members: functions that keep a new run, by name. Each is given an empty folder. Within its
            context, each call of what it gives is another session, on what those before have left.
    """

    members: ClassVar[Mapping[str, Kept]]

    @pytest.fixture
    def begin(self, member: Kept, tmp_path: Path) -> Iterator[Begin]:
        with member(tmp_path) as opened:

            def begun(limit: float | None = None, is_late: bool = False) -> tuple[Journal, Past]:
                journal = opened()
                return journal, journal.resume(LOSS, limit, is_late)

            yield begun

    def test_a_new_journal_has_no_past(self, begin: Begin) -> None:
        _, past = begin()
        assert not [*past.trials, *past.told, *past.begun, *past.stops]
        assert (past.session, past.state, past.last_ask, past.is_time_over) == (
            1,
            None,
            None,
            False,
        )

    def test_what_was_committed_is_what_the_next_session_begins_with(self, begin: Begin) -> None:
        trials = made(4)
        journal, _ = begin()
        journal.commit_step([], trials[:3], {"asked": 3}, 0)
        number = journal.start_attempt(0)
        done = succeeded(trials[0], 0.25)
        outcome = Outcome(
            TrialState.OK, done.metrics, 3, 1.5, {"val_loss": [0.5, None, 0.25]}, message="well"
        )
        journal.finish_attempt(done, number, outcome, final=True)
        journal.commit_step([done], trials[3:], {"asked": 4, "best": [0]}, 1)
        journal.start_attempt(1)
        _, past = begin()
        assert past.session == 2
        assert list(past.trials) == [done, *trials[1:]]
        assert list(past.told) == [0]
        assert past.state == {"asked": 4, "best": [0]}
        assert set(past.begun) == {1}
        assert (past.last_ask, list(past.stops), past.is_time_over) == (None, [], False)

    def test_attempts_are_kept_in_order_and_one_without_an_outcome_is_abandoned(
        self, begin: Begin
    ) -> None:
        (trial,) = made(1)
        journal, _ = begin()
        journal.commit_step([], [trial], {}, 0)
        assert journal.attempts(0) == []
        lost = Outcome(TrialState.LOST, message="gone", details=Details(log="the end"))
        assert journal.start_attempt(0) == 0
        journal.finish_attempt(trial, 0, lost, final=False)
        assert journal.start_attempt(0) == 1
        journal.note_epochs({(0, 1): 2})
        journal, past = begin()
        assert past.trials[0].state is TrialState.WAITING
        first, second = journal.attempts(0)
        assert (first.state, first.message, first.details) == ("lost", "gone", lost.details)
        assert (second.state, second.epochs, second.ended) == (ABANDONED, 2, None)
        assert journal.start_attempt(0) == 2
        assert [attempt.session for attempt in journal.attempts(0)] == [1, 1, 2]

    def test_the_last_ask_is_known_until_the_next_one(self, begin: Begin) -> None:
        trials = made(3)
        journal, _ = begin()
        journal.commit_step([], trials[:2], {"asked": (2,)}, 0, is_last=True)
        done = succeeded(trials[0], 0.5)
        journal.finish_attempt(done, journal.start_attempt(0), Outcome(TrialState.OK), True)
        journal.commit_step([done], [], {"asked": [2], "told": 1}, 1)
        journal, past = begin()
        assert past.last_ask == (0, {"asked": [2]})
        journal.go_back(*past.last_ask)
        journal, past = begin()
        assert (list(past.told), past.state) == ([], {"asked": [2]})
        assert past.trials[0] == done, "outcomes stay"
        journal.commit_step([], trials[2:], {}, 0)
        _, past = begin()
        assert past.last_ask is None

    def test_what_a_deadline_has_interrupted_waits_again_if_there_is_time(
        self, begin: Begin
    ) -> None:
        trials = made(3)
        journal, _ = begin(limit=60.0)
        journal.commit_step([], trials, {}, 0)
        metrics = {"val_loss": 0.5, "cut_short": 1.0}
        short = settled(trials[0], TrialState.OK, metrics, LOSS)
        outcome = Outcome(TrialState.OK, metrics, epochs=1)
        journal.finish_attempt(short, journal.start_attempt(0), outcome, final=True)
        whole = succeeded(trials[1], 0.5)
        journal.finish_attempt(whole, journal.start_attempt(1), Outcome(TrialState.OK), True)
        never = settled(trials[2], TrialState.CANCELLED, {}, LOSS)
        journal.cancel([never], 60.0)
        journal, past = begin(limit=60.0)
        assert (list(past.trials), past.is_time_over) == ([short, whole, never], True)
        _, past = begin(limit=90.0, is_late=True)
        assert (list(past.trials), past.is_time_over) == ([short, whole, never], True)
        journal, past = begin(limit=90.0)
        assert (list(past.trials), past.is_time_over) == ([trials[0], whole, trials[2]], False)
        assert [journal.attempts(id)[0].state for id in (0, 1)] == [ABANDONED, "ok"]

    def test_why_a_run_was_stopped_is_kept_with_the_step(self, begin: Begin) -> None:
        journal, _ = begin()
        stop = {"told": 0, "state": "error", "why": "no"}
        journal.commit_step([], made(1), {}, 0, stop=stop)
        _, past = begin()
        assert list(past.stops) == [stop]


def made(count: int) -> list[Trial]:
    """New trials of random genomes."""
    space = parse_space(WIDE_SPACE, "the space")
    rng = np.random.default_rng(0)
    trials = []
    for id in range(count):
        proposal = Proposal(sample(space, rng), Fidelity(3), Lineage(("crossover", "add"), (0,)))
        trials.append(Trial(id, proposal))
    return trials


def succeeded(trial: Trial, loss: float) -> Trial:
    """The trial with this loss."""
    return settled(trial, TrialState.OK, {"val_loss": loss}, LOSS)
