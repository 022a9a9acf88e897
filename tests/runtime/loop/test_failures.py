"""Failures in a row: what counts, what ends the count, and where it begins anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.genome import decode
from evonas.runtime.loop.failures import FailuresInARow
from evonas.trial import Attempt, Details, Fidelity, Lineage, Proposal, Trial, TrialState


def attempts(trial):
    """What the record has of a trial."""
    details = Details(log="one\ntwo")
    return [Attempt(trial, 0, 1, "error", 0.0, 1.0, 1, 1.0, {}, "no such file", details)]


def stop_of(failures, told):
    return failures.stop(told, Path("my runs/night"), attempts)


@pytest.fixture
def told(small_space):
    proposal = Proposal(
        decode(small_space, [0.5] * small_space.dimension), Fidelity(1), Lineage(("sample",))
    )

    def told(*states, twins=()):
        return [
            Trial(id, proposal, 0 if id in twins else None, TrialState(s))
            for id, s in enumerate(states)
        ]

    return told


def stops(trials, limit=3):
    failures = FailuresInARow(limit)
    for count, trial in enumerate(trials, 1):
        failures.count(trial)
        if stop_of(failures, count) is not None:
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


def test_the_record_and_the_user_are_told_why(told):
    failures = FailuresInARow(2)
    failures.restore(told("error", "error"))
    stop = stop_of(failures, 2)
    # The command works as printed, for this run and in this shell.
    assert "evonas replay 'my runs/night' 1`" in str(stop.error)
    assert str(stop.error).endswith("trial 1 said: no such file\n    one\n    two")
    why = "2 trials in a row ended as `error`; trial 1 said: no such file"
    assert stop.detail == {"told": 2, "state": "error", "why": why}


def test_the_count_goes_on_after_a_kill_and_begins_anew_after_a_stop(told):
    trials = told(*["error"] * 4)
    killed = FailuresInARow(4)
    assert killed.restore(trials[:3]) == ""
    killed.count(trials[3])
    detail = stop_of(killed, 4).detail
    again = FailuresInARow(4, [detail])
    assert "trial 3 said" in again.restore(trials)
    assert stop_of(again, 4) is None
    later = FailuresInARow(4, [detail])
    assert later.restore([*trials, *told("error")]) == "", "something was told since the stop"
