"""How much better one model is than another on the same samples, and whether that may be luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.learning.formulas import Array

RESAMPLES = 500
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Gain:
    """A difference of two scores, and its interval.

    Attributes:
        difference: score of the one minus that of the other.
        low: lower end of its interval of 95 %.
        high: upper end.
    """

    difference: float
    low: float
    high: float

    @property
    def is_beyond_noise(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    def to_json(self) -> dict[str, float]:
        return {"difference": self.difference, "low": self.low, "high": self.high}


def gain(
    score: Callable[[Any], float], samples: int, other: Callable[[Any], float], seed: int
) -> Gain | None:
    """The difference of two scores of the same samples, by a paired bootstrap (Efron, 1979).

    Both are scored on the same resamples, so what is hard for both does not count as noise.

    Args:
        score: score of the one on the samples at these positions, (n,).
        samples: number of samples.
        other: likewise, of the other.
        seed: seed of the resamples.

    Returns:
        None if a score is not finite.
    """
    from scipy.stats import bootstrap

    def difference(positions: Array) -> float:
        return score(positions) - other(positions)

    everything = np.arange(samples)
    whole = difference(everything)
    if samples < 2 or not np.isfinite(whole):
        return None
    found = bootstrap(
        (everything,),
        difference,
        n_resamples=RESAMPLES,
        vectorized=False,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    interval = found.confidence_interval
    if not np.isfinite([interval.low, interval.high]).all():
        return None
    return Gain(float(whole), float(interval.low), float(interval.high))
