"""Several strategies on one question: curves of the best value against what was spent.

Pure numbers: nothing here reads a record or knows what a network is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.insight.front import Box, hypervolumes_in
from evonas.insight.scale import Floats, Scale
from evonas.insight.student import half_width
from evonas.insight.summary import succeeded
from evonas.trial import Direction, Fitness, Objective, Trial

POINTS = 201
"""Number of points of a curve's grid, from nothing spent to the whole budget."""
LEAST_RUNS = 4
"""The interval of a mean of fewer runs is so wide that it tells less than the runs themselves."""
HYPERVOLUME = Objective("hypervolume", "max")
"""What runs with several objectives are compared by."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One run: the best value so far against what had been spent.

    Attributes:
        spent: (n,), increasing: cost of the trials up to each one, in the budget's unit.
        best: (n,), best value after each trial, or hypervolume; NaN before the first success.
    """

    spent: Floats
    best: Floats

    @property
    def final(self) -> float:
        """The best value in the end; NaN if nothing has succeeded."""
        if not self.best.size:
            return math.nan
        return float(self.best[-1])

    def at(self, budget: Floats) -> Floats:
        """The best value that was known when a budget was spent; NaN before the first success.

        It is a step function.
        """
        if not self.best.size:
            return budget * np.nan
        # The last trial that was paid by then; -1 before the first one.
        last = np.searchsorted(self.spent, budget, side="right") - 1
        is_begun = last >= 0
        known = self.best[np.maximum(last, 0)]
        return np.where(is_begun, known, np.nan)

    def reaches(self, target: float, direction: Direction) -> float | None:
        """What was spent when the best value first was as good as the target, or None."""
        if direction == "min":
            good = self.best <= target
        else:
            good = self.best >= target
        if not good.any():
            return None
        # `argmax` of truth values is the first one that is true.
        first = np.argmax(good)
        return float(self.spent[first])


def curve(trials: Sequence[Trial], cost: Mapping[int, float]) -> Curve:
    """The curve of a run's trials, in order of id.

    Args:
        cost: cost of each trial that was charged, in the budget's unit. Duplicates and trials
            without an outcome have none.
    """
    spent: list[float] = []
    best: list[float] = []
    total = 0.0
    incumbent: Fitness | None = None
    for trial in trials:
        fitness = succeeded(trial)
        # A trial beyond the constraints is not a success, however good its value is.
        if fitness is not None and not fitness.is_feasible:
            fitness = None
        if fitness is not None and (incumbent is None or fitness > incumbent):
            incumbent = fitness
        total += cost.get(trial.id, 0.0)
        spent.append(total)
        best.append(math.nan if incumbent is None else incumbent.value)
    return Curve(np.array(spent, float), np.array(best, float))


def front_curve(
    spent: Floats, points: Sequence[tuple[float, ...] | None], box: Box | None
) -> Curve:
    """The curve of a run with several objectives: the hypervolume of its front so far.

    Args:
        spent: (n,), cost of the trials up to each one.
        points: (n,), values of each trial, less is better; None if it cannot be on a front.
        box: box that all compared runs share; None if none of them has a success, and then the
            curve is NaN.
    """
    if box is None:
        unknown = np.full(len(spent), np.nan)
        return Curve(spent, unknown)
    # A front without members dominates nothing. So the curve begins with 0 before anything is
    # spent, and a run without any success stays there.
    volumes = hypervolumes_in(box, points)
    return Curve(
        spent=np.array([0.0, *spent]),
        best=np.array([0.0, *volumes]),
    )


def charged_epochs(trials: Sequence[Trial]) -> dict[int, float]:
    """The cost of each trial in epochs; duplicates cost nothing and are left out.

    It is what the trial was asked for, less the epochs of the trial that it continues.
    """
    asked = {trial.id: trial.proposal.fidelity.epochs for trial in trials}
    cost = {}
    for trial in trials:
        if trial.twin_of is not None:
            continue
        before = 0
        resumed = trial.proposal.resume_from
        if resumed is not None:
            before = asked.get(resumed, 0)
        cost[trial.id] = float(asked[trial.id] - before)
    return cost


@dataclass(frozen=True, eq=False)
class Band:
    """What several runs of one strategy have in common.

    Attributes:
        budget: (points,), in the budget's unit.
        middle: (points,), mean on the scale of the objective: the geometric mean of losses. NaN
            while any of the runs has no success. If a run has none in the end, there is no mean,
            and this is the median, to which a run without a success is the worst; NaN if that is
            the median.
        low, high: (points,), 95 % t interval of the mean. If there is none, they are the least and
            the greatest value: the range of the runs.
        is_interval: whether `low` and `high` are an interval. It takes at least 4 runs.
        runs: number of runs.
        failed: number of runs without any success.
    """

    budget: Floats
    middle: Floats
    low: Floats
    high: Floats
    is_interval: bool
    runs: int = 0
    failed: int = 0


def band(curves: Sequence[Curve], budget: float, scale: Scale) -> Band:
    """The mean of several runs and its t interval, or their range.

    Args:
        curves: one curve a seed.
        budget: end of the grid.
        scale: scale of the objective, on which the mean is taken.
    """
    grid = np.linspace(0.0, budget, POINTS)
    values = np.stack([one.at(grid) for one in curves])
    count = len(curves)
    failed = sum(math.isnan(one.final) for one in curves)
    is_interval = failed == 0 and count >= LEAST_RUNS
    places = scale.forward(values)
    # A mean is NaN as long as one of its runs has no success.
    middle = places.mean(axis=0)
    if is_interval:
        half = half_width(places, scale.sample)
        low = _limited(scale.back(middle - half), scale)
        high = _limited(scale.back(middle + half), scale)
    else:
        # `fmin` and `fmax` pass over the runs that have no success yet.
        low = np.fmin.reduce(values, axis=0)
        high = np.fmax.reduce(values, axis=0)
    return Band(
        budget=grid,
        middle=_median(values, scale) if failed else scale.back(middle),
        low=low,
        high=high,
        is_interval=is_interval,
        runs=count,
        failed=failed,
    )


def _limited(ends: Floats, scale: Scale) -> Floats:
    """Ends of intervals within the values that are possible."""
    is_fraction = scale.is_accuracy and scale.is_of_fractions
    if is_fraction or scale.objective == HYPERVOLUME:
        return np.clip(ends, 0.0, 1.0)
    return ends


def _median(values: Floats, scale: Scale) -> Floats:
    """The median at each point; NaN if that is a run without a success."""
    known = np.where(np.isnan(values), scale.worst, values)
    medians = np.median(known, axis=0)
    return np.where(np.isfinite(medians), medians, np.nan)


def worst_start(curves: Iterable[Curve], direction: Direction) -> float:
    """The worst value that any run had at its first success; NaN if there is no success."""
    starts = []
    for one in curves:
        known = one.best[np.isfinite(one.best)]
        if known.size:
            starts.append(float(known[0]))
    if not starts:
        return math.nan
    return max(starts) if direction == "min" else min(starts)


def area(one: Curve, budget: float, start: float) -> float:
    """The area under the best-so-far curve, divided by the budget: the mean best value over it.

    Args:
        start: value of the time before the first success, at best `worst_start` of all runs that
            are compared. Otherwise a run that fails for long would have the better area.
    """
    # The curve is a step function: each value holds from its trial to the next one.
    ends = np.clip(one.spent, 0.0, budget)
    widths = np.diff(ends, prepend=0.0, append=budget)
    values = np.concatenate([[start], np.where(np.isnan(one.best), start, one.best)])
    return float(np.sum(widths * values) / budget)
