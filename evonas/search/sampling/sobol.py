"""Sobol's sequence: each next power of two of points fills the cube evenly (Sobol, 1967).

The direction numbers are those of Joe and Kuo (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler

MOST_DIMENSIONS = 21_201
"""There are no direction numbers for more."""


@dataclass(frozen=True)
class Sobol(Sampler):
    """One endless sequence, of which each round is the next part.

    Attributes:
        scramble: whether the run's seed scrambles the sequence (Owen, 1998). Otherwise every run
            has the same points.
    """

    scramble: bool = True

    libraries: ClassVar[tuple[str, ...]] = ("scipy",)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        # All rounds use the generator of round 0, for they are parts of one scrambled sequence.
        rng = generator(seed, "sample", 0)
        sequence = qmc.Sobol(dimension, scramble=self.scramble, rng=rng)
        # SciPy's Sobol cannot skip 0 points.
        if round:
            sequence.fast_forward(round * size)
        return sequence.random(size)

    def problem(self, dimension: int) -> str:
        if dimension <= MOST_DIMENSIONS:
            return ""
        return (
            f"Sobol's sequence has at most {MOST_DIMENSIONS:,} dimensions,"
            f" and this space has {dimension:,}."
        )
