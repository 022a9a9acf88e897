"""Who won, by how much, and whether it matters: paired differences over seeds, in sentences a person can act on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from evonas.insight.comparison import Band, Curve
from evonas.trial import Objective

CONFIDENCE = 0.95
POWER = 0.8
MOST_SEEDS = 1000
"""More seeds than these are told as `more than 1,000`."""


@dataclass(frozen=True)
class Difference:
    """How much better one strategy's winners are than another's, paired by seed.

    Attributes:
        mean: positive where the first one is better; in the objective's unit.
        low, high: its 95 % t interval; infinite at a single seed.
        seeds: pairs.
        needed: seeds at which a difference like this would be shown with a probability of 80 %; None where more than
            1,000 would be needed, or none would do.
    """

    mean: float
    low: float
    high: float
    seeds: int
    needed: int | None

    @property
    def is_shown(self) -> bool:
        """Whether 0 lies outside of the interval."""
        return self.low > 0 or self.high < 0


def difference(first: Sequence[float], second: Sequence[float], objective: Objective) -> Difference:
    """Compare the final values of two strategies, seed by seed (Student's paired t interval).

    Args:
        first, second: final values in the same order of seeds; pairs with a value that is not finite are left out.
    """
    sign = -1.0 if objective.direction == "min" else 1.0
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if math.isfinite(a) and math.isfinite(b)]
    gains = [sign * (a - b) for a, b in pairs]
    if not gains:
        return Difference(math.nan, -math.inf, math.inf, 0, None)
    mean = statistics.mean(gains)
    if len(gains) == 1:
        return Difference(mean, -math.inf, math.inf, 1, None)
    deviation = statistics.stdev(gains)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)) * deviation / math.sqrt(len(gains))
    return Difference(mean, mean - half, mean + half, len(gains), seeds_needed(mean, deviation))


@lru_cache
def seeds_needed(mean: float, deviation: float) -> int | None:
    """Seeds at which a two-sided paired t test at 5 % shows such a difference with a probability of 80 %.

    By the noncentral t distribution (Cohen, 1988). None where 1,000 are not enough.
    """
    if mean == 0:
        return None
    if deviation == 0:
        return 2
    for seeds in range(2, MOST_SEEDS + 1):
        critical = stats.t.ppf((1 + CONFIDENCE) / 2, seeds - 1)
        power = 1 - stats.nct.cdf(critical, seeds - 1, abs(mean) / deviation * math.sqrt(seeds))
        if power >= POWER:
            return seeds
    return None


def share_needed(band: Band, target: float, objective: Objective) -> float | None:
    """The share of the budget after which a mean curve is as good as the target; None if it never is."""
    with np.errstate(invalid="ignore"):
        good = band.mean <= target if objective.direction == "min" else band.mean >= target
    return float(band.budget[np.argmax(good)] / band.budget[-1]) if good.any() else None


def sentence(name: str, reference: str, found: Difference, objective: Objective, unit: str, share: float | None) -> str:
    """What a comparison of two strategies says.

    Args:
        unit: of the budget: `trials`, `epochs` or `seconds`.
        share: of the budget that the better one needs for the other one's final mean; None where it is not known.
    """
    if found.seeds == 0:
        return f"{name} and {reference} cannot be compared: one of them has no success at any seed."
    if found.seeds == 1:
        return (
            f"One seed shows nothing about {name} and {reference}: the difference is {amount(found.mean, objective)}."
        )
    if not found.is_shown:
        more = f"{found.needed:,} would be needed" if found.needed else f"more than {MOST_SEEDS:,} would be needed"
        leader, low, high = (name, found.low, found.high) if found.mean >= 0 else (reference, -found.high, -found.low)
        interval = f"95 % interval {amount(low, objective)} to {amount(high, objective)}"
        return (
            f"No difference between {name} and {reference} can be shown at {found.seeds} seeds ({leader} leads by"
            f" {amount(abs(found.mean), objective)}, {interval}); for a lead of that size {more}."
        )
    better, worse = (name, reference) if found.mean > 0 else (reference, name)
    low, high = sorted((abs(found.low), abs(found.high)))
    needs = "" if share is None else f" and needs {share:.0%} of its {unit}"
    return (
        f"{better} beats {worse} by {amount(abs(found.mean), objective)} (95 % interval {amount(low, objective)} to"
        f" {amount(high, objective)}, {found.seeds} seeds){needs}."
    )


def amount(value: float, objective: Objective) -> str:
    """A difference in words: points for an accuracy, else in the objective's own unit."""
    if objective.measure == "accuracy":
        return f"{100 * value:.2f} points"
    return f"{value:.4g}"


def finals(curves: Mapping[int, Curve]) -> list[float]:
    """The final values by seed, in the order of the seeds."""
    return [curves[seed].final for seed in sorted(curves)]
