"""Sobol's sequence: each next power of two of points fills the cube evenly (Sobol, 1967; directions of Joe and Kuo,
2008)."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler

MOST_DIMENSIONS = 21_201
"""For more, there are no direction numbers."""


@dataclass(frozen=True)
class Sobol(Sampler):
    """Attributes:
    scramble: whether the run's seed scrambles the sequence (Owen, 1998); else every run has the same points.
    """

    scramble: bool = True

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        sequence = qmc.Sobol(dimension, scramble=self.scramble, rng=generator(seed, "sample", 0))
        if round:
            sequence.fast_forward(round * size)
        return sequence.random(size)

    def problem(self, dimension: int) -> str:
        if dimension <= MOST_DIMENSIONS:
            return ""
        return f"Sobol's sequence has at most {MOST_DIMENSIONS:,} dimensions, and this space has {dimension:,}."
