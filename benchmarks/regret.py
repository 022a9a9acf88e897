"""Normalised regret, the score of PROTOCOL.md: 0 is the best known score, 1 is random search.

The references of each task are frozen in references.csv. `benchmarks.references` has made them.
"""

from __future__ import annotations

import csv
import functools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("references.csv")
FIRST, LAST = 20, 200
"""Numbers of full trainings between which the area is taken. Both are within it."""
MOST = 10.0
"""No regret counts more, so that one lost search does not decide a mean."""

Steps = Sequence[tuple[float, float]]
"""Trainings spent, and the score from then on; more is better."""


@dataclass(frozen=True)
class Reference:
    """The scale of one task.

    Attributes:
        best: best score that is known.
        random: mean of what random search has after `FIRST` trials.
    """

    best: float
    random: float


def references(path: Path = FILE) -> Mapping[tuple[str, str], Reference]:
    """The frozen references by family and task."""
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            known = Reference(float(line["best"]), float(line["random"]))
            found[line["family"], line["task"]] = known
    return found


def regret(score: float, reference: Reference) -> float:
    """The part of the way from random search to the best that is still missing.

    It is negative if the score is better than the best known one, and at most `MOST`.
    """
    missing = reference.best - score
    return min(MOST, missing / (reference.best - reference.random))


def after(steps: Steps, trainings: float) -> float:
    """The best score after this many trainings; minus infinity before the first one."""
    found = -float("inf")
    for spent, score in steps:
        if spent > trainings:
            break
        found = score
    return found


def area(steps: Steps, reference: Reference) -> float:
    """The mean of the regrets after 20, 21, ..., 200 trainings."""
    marks = range(FIRST, LAST + 1)
    return statistics.fmean(regret(after(steps, mark), reference) for mark in marks)


@functools.cache
def frozen() -> Mapping[tuple[str, str], Reference]:
    """The references of the file beside this module, read once."""
    return references()
