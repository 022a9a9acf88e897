"""Latin hypercube: of n points, each n-th of every coordinate holds exactly one (McKay, Beckman and Conover, 1979)."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.randomness import generator
from evonas.search.sampling.sampling import LARGEST_SET, ROUND, Points, Sampler


@dataclass(frozen=True)
class LatinHypercube(Sampler):
    """Nothing to set. n is the budget of trials; where that is not known, hypercubes of 64 follow one another."""

    def size(self, total: int | None) -> int:
        return ROUND if total is None else min(max(total, 1), LARGEST_SET)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        return qmc.LatinHypercube(dimension, rng=generator(seed, "sample", round)).random(size)
