"""Failures in a row: what counts, what ends the count, and where it begins anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.errors import RepeatedFailures
from evonas.genome import decode
from evonas.runtime.loop.failures import STOPPED, FailuresInARow
from evonas.runtime.record.rows import Attempt
from evonas.trial import Fidelity, Lineage, Proposal, Trial, TrialState


class Log:
    """Takes the place of a record."""

    path = Path("my runs/night/run.db")

    def __init__(self):
        self.events = []

    def attempts(self, trial):
        return [
            Attempt(trial, 0, 1, "error", 0.0, 1.0, 1, 1.0, {}, "no such file", {"log": "one\ntwo"})
        ]

    def event(self, kind, detail):
        self.events.append((0.0, kind, detail))


@pytest.fixture
def told(small_space):
    proposal = Proposal(
        decode(small_space, [0.5] * small_space.dimension), Fidelity(1), Lineage("sample")
    )

    def told(*states, twins=()):
        return [
            Trial(id, proposal, 0 if id in twins else None, TrialState(s))
            for id, s in enumerate(states)
        ]

    return told


def stops(trials, limit=3):
    failures, log = FailuresInARow(limit), Log()
    for count, trial in enumerate(trials, 1):
        failures.count(trial)
        try:
            failures.check(log, count)
        except RepeatedFailures:
            return count
    return None


@pytest.mark.parametrize(
    ("states", "stop"),
    [
        (["error"] * 3, 3),
        (["ok", "error", "error", "ok", "error", "error"], None),
        (["error", "error", "crashed", "crashed", "crashed"], 5),
        (["diverged"] * 5, None),
        (["infeasible"] * 5, None),
        (["error", "diverged", "error", "error"], None),
    ],
)
def test_of_one_cause_and_in_a_row(told, states, stop):
    assert stops(told(*states)) == stop


def test_twins_do_not_count_and_do_not_end_the_count(told):
    assert stops(told("error", "error", "error", "error", twins={1, 2})) is None
    assert stops(told("error", "error", "ok", "error", twins={2})) == 4


def test_the_record_is_told_why(told):
    failures, log = FailuresInARow(2), Log()
    failures.restore(told("error", "error"), [])
    with pytest.raises(RepeatedFailures, match=r"trial 1 said: no such file\n    one\n    two$"):
        failures.check(log, 2)
    # The command works as printed, for this run and in this shell.
    with pytest.raises(RepeatedFailures, match=r"evonas replay 'my runs/night' 1`"):
        failures.check(log, 2)
    log.events.pop()
    why = "2 trials in a row ended as `error`; trial 1 said: no such file"
    assert log.events == [(0.0, STOPPED, {"told": 2, "state": "error", "why": why})]


def test_the_count_goes_on_after_a_kill_and_begins_anew_after_a_stop(told):
    trials, log = told(*["error"] * 4), Log()
    killed = FailuresInARow(4)
    assert killed.restore(trials[:3], []) == ""
    killed.count(trials[3])
    with pytest.raises(RepeatedFailures):
        killed.check(log, 4)
    again = FailuresInARow(4)
    assert "trial 3 said" in again.restore(trials, log.events)
    again.check(log, 4)
    later = FailuresInARow(4)
    assert later.restore([*trials, *told("error")], log.events) == "", (
        "something was told since the stop"
    )
