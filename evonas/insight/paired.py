"""Two strategies, seed by seed: how much better one is, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import stats

from evonas.insight.scale import Floats, Scale
from evonas.insight.student import critical, half_width

EQUAL = 1e-6
"""Differences that vary by less than this share of their size are equal but for rounding."""


@dataclass(frozen=True)
class Difference:
    """How much better one strategy's winners are than another's, paired by seed.

    A t interval needs differences, and differences that vary. If a strategy found nothing at a
    seed, there is no difference. If all differences but those of 0 are equal in size, as in a
    coarse table, they say nothing about how much the next one would vary. In both cases the test
    is by signs, and a failure is the worst value.

    Attributes:
        seeds: number of pairs.
        failures: number of seeds at which the first and the second one found nothing.
        wins: number of seeds at which the first one is better.
        losses: number of seeds at which the second one is better.
        mean: mean difference on the scale, positive if the first one is better; NaN if a seed
            failed.
        step: size of the differences, if all but those of 0 are equal in size; otherwise NaN.
        low, high: its 95 % t interval; infinite if there is none.
        is_by_signs: whether the test is an exact sign test, not a t test.
        p: p-value of the two-sided test; 1 at a single seed.
    """

    seeds: int
    failures: tuple[int, int]
    wins: int
    losses: int
    mean: float
    step: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    is_by_signs: bool = True
    p: float = 1.0

    @property
    def has_failures(self) -> bool:
        return any(self.failures)

    @property
    def standard_error(self) -> float:
        """Of the mean; not less than the interval's width stands for."""
        return (self.high - self.low) / 2 / critical(self.seeds)

    @property
    def is_ahead(self) -> bool:
        """Whether the first one is ahead, by the mean or, if there is none, by signs."""
        if self.has_failures:
            return self.wins >= self.losses
        return self.mean >= 0


def difference(first: Sequence[float], second: Sequence[float], scale: Scale) -> Difference:
    """Compare the final values of two strategies, seed by seed.

    Args:
        first, second: final values in the same order of seeds; one that is not finite is a
            failure.
    """
    ours = scale.heights(first)
    theirs = scale.heights(second)
    failures = (int(np.isinf(ours).sum()), int(np.isinf(theirs).sum()))
    gains = _gains(ours, theirs)
    # Accuracies differ by whole samples. Less than half of one is rounding: Keras has float32.
    rounding = scale.sample / 2
    wins = int((gains > rounding).sum())
    losses = int((gains < -rounding).sum())
    signs = Difference(len(gains), failures, wins, losses, math.nan, p=sign_test(wins, losses))
    if any(failures):
        return signs
    mean = float(gains.mean())
    step = _step(gains, rounding)
    if not math.isnan(step):
        return replace(signs, mean=mean, step=step)
    # A lead of exactly one sample is not shown, however it is rounded.
    least = scale.sample * 1.001
    half = float(half_width(gains, least))
    return replace(
        signs,
        mean=mean,
        low=mean - half,
        high=mean + half,
        is_by_signs=False,
        p=_t_test(mean, half, len(gains)),
    )


def _gains(ours: Floats, theirs: Floats) -> Floats:
    """How much better the first one is at each seed; infinite if one of them failed."""
    # Two failures tie. Their difference would be NaN.
    both_failed = np.isinf(ours) & np.isinf(theirs)
    with np.errstate(invalid="ignore"):
        gains = ours - theirs
    return np.where(both_failed, 0.0, gains)


def _step(gains: Floats, rounding: float) -> float:
    """The size of all gains but those of 0, if it is the same; NaN otherwise."""
    sizes = np.abs(gains)
    known = sizes[sizes > rounding]
    if not known.size:
        return 0.0
    step = float(known.mean())
    spread = float(np.ptp(known))
    return step if spread <= max(rounding, EQUAL * step) else math.nan


def _t_test(mean: float, half: float, seeds: int) -> float:
    """The p-value of Student's paired t test, from half the width of its 95 % interval.

    From the width, so that a width that is not believed to be less counts here, too.
    """
    error = half / critical(seeds)
    return float(2 * stats.t.sf(abs(mean) / error, seeds - 1))


# There are few such pairs, and a simulation asks for them a million times.
@lru_cache
def sign_test(wins: int, losses: int) -> float:
    """The p-value of the exact two-sided sign test; ties do not count."""
    untied = wins + losses
    if untied == 0:
        return 1.0
    return float(stats.binomtest(wins, untied).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of several tests, in the same order (Holm, 1979).

    If all that are at most 0.05 are believed, the chance of even one false claim is at most 5 %.
    """
    count = len(p_values)
    order = sorted(range(count), key=lambda place: p_values[place])
    adjusted = [1.0] * count
    highest = 0.0
    for rank, place in enumerate(order):
        # The smallest counts for all tests, the next one for all others, and so on.
        raised = (count - rank) * p_values[place]
        highest = max(highest, min(1.0, raised))
        adjusted[place] = highest
    return adjusted
