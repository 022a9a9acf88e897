"""Student's t interval of a mean: how wide it is, and which lead it can show."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special, stats

from evonas.insight.scale import Floats

CONFIDENCE = 0.95
POWER = 0.8


# A simulation asks for the same few numbers a million times.
@lru_cache
def critical(count: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors an interval reaches to each side."""
    # Two-sided: half of what the interval leaves out lies above it.
    return float(stats.t.ppf((1 + confidence) / 2, count - 1))


def half_width(values: Floats, least: float = 0.0) -> Floats:
    """Half the width of the 95 % interval of a mean.

    Args:
        values: (n, ...), at least two of each; the mean is taken over the first axis.
        least: smallest half width that is believed: the share of one validation sample in an
            accuracy. Few values can agree by rounding, and would give an interval of no width.
    """
    count = len(values)
    error: Floats = values.std(axis=0, ddof=1) / math.sqrt(count)
    return np.maximum(critical(count) * error, least)


@lru_cache
def detectable(count: int, confidence: float = CONFIDENCE) -> float:
    """The lead that a t test shows with a probability of 80 %, in standard errors of the mean.

    The power of the test follows the noncentral t distribution (Cohen, 1988).

    Args:
        count: number of values, at least 2.
        confidence: 1 less the level of the test.
    """
    noncentrality = special.nctdtrinc(count - 1, 1 - POWER, critical(count, confidence))
    return float(noncentrality)
