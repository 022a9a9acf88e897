"""Student's t interval of a mean: how wide it is, and which lead it can show."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

CONFIDENCE = 0.95
POWER = 0.8

Numbers = TypeVar("Numbers", float, NDArray[np.float64])


# A simulation asks for the same few numbers a million times.
@lru_cache
def critical(count: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors an interval reaches to each side."""
    # Two-sided: half of what the interval leaves out lies above it.
    return float(stats.t.ppf((1 + confidence) / 2, count - 1))


def half_width(deviation: Numbers, count: int, least: float = 0.0) -> Numbers:
    """Half the width of the 95 % interval of a mean.

    Args:
        deviation: standard deviation of the values.
        count: number of values, at least 2.
        least: smallest half width that is believed: the share of one validation sample in an
            accuracy. Few values can agree by rounding, and would give an interval of no width.
    """
    width = critical(count) * deviation / math.sqrt(count)
    return np.maximum(width, least)


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
