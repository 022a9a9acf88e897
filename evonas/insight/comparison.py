"""Several strategies on one question: best-so-far curves against what was spent, and what they add up to.

Pure numbers: nothing here reads a record or knows what a network is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evonas.insight.front import Box, hypervolumes_in
from evonas.insight.summary import succeeded
from evonas.randomness import generator
from evonas.trial import Direction, Objective, Trial

Floats = NDArray[np.float64]

POINTS = 201
"""Of a curve's grid, from nothing spent to the whole budget."""
RESAMPLES = 2000
HYPERVOLUME = Objective("hypervolume", "max")
"""What runs with several objectives are compared by."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One run: the best value so far against what had been spent.

    Attributes:
        spent: (n,), increasing: what the trials up to each one have cost together, in the budget's unit.
        best: (n,), the best value after each of them, or the hypervolume; NaN before the first success.
    """

    spent: Floats
    best: Floats

    @property
    def final(self) -> float:
        """The best value in the end; NaN where nothing has succeeded."""
        return float(self.best[-1]) if self.best.size else math.nan

    def at(self, budget: Floats) -> Floats:
        """The best value that had been found when so much was spent: a step function; NaN before the first success."""
        index = np.searchsorted(self.spent, budget, side="right") - 1
        return (
            np.where(index >= 0, self.best[np.maximum(index, 0)], np.nan)
            if self.best.size
            else budget * np.nan
        )

    def reaches(self, target: float, direction: Direction) -> float | None:
        """What was spent when the best value was first as good as the target; None if it never was."""
        good = self.best <= target if direction == "min" else self.best >= target
        return float(self.spent[np.argmax(good)]) if good.any() else None


def curve(trials: Sequence[Trial], cost: Mapping[int, float]) -> Curve:
    """The curve of a run's trials, in order of id.

    Args:
        cost: of each trial that was charged, in the budget's unit; twins and trials that are not known yet have none.
    """
    spent, best = [], []
    total, incumbent = 0.0, None
    for trial in trials:
        fitness = succeeded(trial)
        is_better = fitness is not None and (incumbent is None or fitness > incumbent)
        if (
            fitness is not None and fitness.is_feasible and is_better
        ):  # beyond the constraints, nothing is found
            incumbent = fitness
        total += cost.get(trial.id, 0.0)
        spent.append(total)
        best.append(math.nan if incumbent is None else incumbent.value)
    return Curve(np.array(spent, float), np.array(best, float))


def front_curve(
    spent: Floats, points: Sequence[tuple[float, ...] | None], box: Box | None
) -> Curve:
    """The curve of a run with several objectives: the hypervolume of its front so far, from 0 where nothing is spent.

    A front without members dominates nothing, so that a run without any success has 0.

    Args:
        spent: (n,), what the trials up to each one have cost together.
        points: (n,), of each trial the values, less is better; None of what cannot be on a front.
        box: common to all runs that are compared; None where none of them has a success, and all is NaN.
    """
    if box is None:
        return Curve(spent, np.full(len(spent), np.nan))
    return Curve(np.array([0.0, *spent]), np.array([0.0, *hypervolumes_in(box, points)]))


def charged_epochs(trials: Sequence[Trial]) -> dict[int, float]:
    """What each trial costs in epochs: those that it was asked for, less those that it continues; a twin nothing."""
    asked = {trial.id: trial.proposal.fidelity.epochs for trial in trials}
    before = {
        trial.id: asked.get(trial.proposal.resume_from, 0)
        for trial in trials
        if trial.proposal.resume_from is not None
    }
    return {
        trial.id: float(asked[trial.id] - before.get(trial.id, 0))
        for trial in trials
        if trial.twin_of is None
    }


@dataclass(frozen=True, eq=False)
class Band:
    """The mean of several curves, and where it lies with 95 % confidence by resampling the seeds.

    Attributes:
        budget: (points,), in the budget's unit.
        mean, low, high: (points,); NaN while any of the runs has no success.
    """

    budget: Floats
    mean: Floats
    low: Floats
    high: Floats


def band(curves: Sequence[Curve], budget: float, seed: int = 0) -> Band:
    """The percentile bootstrap of the mean over runs (Efron and Tibshirani, 1993).

    Args:
        curves: one a seed.
        budget: where the grid ends.
        seed: of the resampling.
    """
    grid = np.linspace(0.0, budget, POINTS)
    values = np.stack([one.at(grid) for one in curves])
    chosen = generator(seed, "select").integers(len(curves), size=(RESAMPLES, len(curves)))
    means = values[chosen].mean(axis=1)  # NaN where a run has no success yet
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return Band(grid, values.mean(axis=0), low, high)


def area(one: Curve, budget: float) -> float:
    """The area under the best-so-far curve, divided by the budget: the mean best value over it.

    It counts from the first success on; NaN without any.
    """
    values = one.at(np.linspace(0.0, budget, POINTS))
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
