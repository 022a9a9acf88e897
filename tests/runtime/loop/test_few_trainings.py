"""A budget with room for few trainings is told once, with what gives more."""

from __future__ import annotations

from typing import Any

from evonas.runtime.loop.few_trainings import FewTrainings
from evonas.runtime.loop.progress import Progress, Spent
from evonas.trial import Outcome, TrialState


def said(seconds: float, took: list[float], folds: int | None = None) -> list[str]:
    """What is told in a run whose trainings take so long, on two workers."""
    told: list[str] = []
    observer = FewTrainings(seconds, 2, folds, told.append)
    trial: Any = None
    worked = 0.0
    for number, each in enumerate(took, 1):
        observer.on_outcome(trial, Outcome(TrialState.OK, seconds=each), 0, True)
        worked += each / 2
        spent = (Spent("seconds", worked, seconds),)
        observer.on_progress(Progress(0, number, None, 2, 0, 0, None, worked, None, spent))
    return told


def test_two_long_trainings_of_a_minute_are_told_once_with_what_helps():
    (words,) = said(60, [20, 20, 20, 20], folds=5)
    # 2 are done after 20 seconds, and 40 seconds have room for 4 more.
    assert (
        "takes about 20 seconds, so that a budget of 1 minute has room for about 6 trainings"
        in words
    )
    assert "data.folds" in words
    assert "training.epochs" in words
    (words,) = said(60, [20, 20])
    assert "folds" not in words


def test_enough_trainings_are_no_news():
    assert said(600, [10, 10, 10]) == []


def test_one_training_of_two_workers_says_nothing_yet():
    assert said(60, [20]) == []


def test_failures_do_not_count():
    told: list[str] = []
    observer = FewTrainings(60, 1, None, told.append)
    trial: Any = None
    observer.on_outcome(trial, Outcome(TrialState.DIVERGED, seconds=0.1), 0, True)
    observer.on_progress(Progress(0, 1, None, 1, 1, 0, None, 1.0, None))
    assert told == []
