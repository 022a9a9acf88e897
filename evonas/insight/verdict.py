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
        is_of_fractions: whether all values lie between 0 and 1; an accuracy that does not is one in percent.
    """

    mean: float
    low: float
    high: float
    seeds: int
    needed: int | None
    is_of_fractions: bool = True

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
    pairs = [
        (a, b) for a, b in zip(first, second, strict=True) if math.isfinite(a) and math.isfinite(b)
    ]
    gains = [sign * (a - b) for a, b in pairs]
    is_of_fractions = all(0 <= value <= 1 for pair in pairs for value in pair)
    if not gains:
        return Difference(math.nan, -math.inf, math.inf, 0, None)
    mean = statistics.mean(gains)
    if len(gains) == 1:
        return Difference(mean, -math.inf, math.inf, 1, None, is_of_fractions)
    deviation = statistics.stdev(gains)
    half = (
        float(stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)) * deviation / math.sqrt(len(gains))
    )
    needed = seeds_needed(mean, deviation)
    return Difference(mean, mean - half, mean + half, len(gains), needed, is_of_fractions)


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


def sentence(
    name: str,
    reference: str,
    found: Difference,
    objective: Objective,
    unit: str,
    share: float | None,
) -> str:
    """What a comparison of two strategies says.

    Args:
        unit: of the budget: `trials`, `epochs` or `seconds`.
        share: of the budget that the better one needs for the other one's final mean; None where it is not known. 0,
            where the other one's front is empty, is not told.
    """
    if found.seeds == 0:
        return f"{name} and {reference} cannot be compared: one of them has no success at any seed."
    lead = amount(abs(found.mean), objective, found.is_of_fractions)
    if found.seeds == 1:
        signed = amount(found.mean, objective, found.is_of_fractions)
        return f"One seed shows nothing about {name} and {reference}: the difference is {signed}."
    if not found.is_shown:
        more = (
            f"{found.needed:,} would be needed"
            if found.needed
            else f"more than {MOST_SEEDS:,} would be needed"
        )
        leader, low, high = (
            (name, found.low, found.high)
            if found.mean >= 0
            else (reference, -found.high, -found.low)
        )
        return (
            f"No difference between {name} and {reference} can be shown at {found.seeds} seeds ({leader} leads by"
            f" {lead}, {_interval(low, high, objective, found)}); for a lead of that size {more}."
        )
    better, worse = (name, reference) if found.mean > 0 else (reference, name)
    low, high = sorted((abs(found.low), abs(found.high)))
    needs = f" and needs {share:.0%} of its {unit}" if share else ""
    interval = _interval(low, high, objective, found)
    return f"{better} beats {worse} by {lead} ({interval}, {found.seeds} seeds){needs}."


def _interval(low: float, high: float, objective: Objective, found: Difference) -> str:
    ends = (_number(end, objective, found.is_of_fractions) for end in (low, high))
    return f"95 % interval {' to '.join(ends)}"


def amount(value: float, objective: Objective, is_of_fractions: bool = True) -> str:
    """A difference in words: an accuracy's in percentage points, any other in the objective's own unit.

    Args:
        is_of_fractions: whether an accuracy is one; else it is in percent, and so is the difference.
    """
    unit = "points" if objective.measure == "accuracy" else f"in {objective.name}"
    return f"{_number(value, objective, is_of_fractions)} {unit}"


def _number(value: float, objective: Objective, is_of_fractions: bool) -> str:
    if objective.measure != "accuracy":
        return f"{value:.4g}"
    return f"{100 * value if is_of_fractions else value:.2f}"


def finals(curves: Mapping[int, Curve]) -> list[float]:
    """The final values by seed, in the order of the seeds."""
    return [curves[seed].final for seed in sorted(curves)]
