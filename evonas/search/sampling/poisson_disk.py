"""Poisson disk: random points, no two of them close to one another (Cook, 1986; drawn as in Bridson, 2007)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler

MOST_DIMENSIONS = 7
"""The grid that finds neighbours has about 5 cells a dimension: 8 MB and a second in 7 dimensions, 10 GB in 10."""

LARGEST_SET = 128

SMALLER = 0.9
"""By which the distance shrinks, until the points fit."""


@dataclass(frozen=True)
class PoissonDisk(Sampler):
    """Nothing to set. A set has as many points as the budget has trials, at most 128; larger budgets get several sets,
    one after another. The distance is the largest, in steps of a tenth, at which so many points fit.
    """

    def size(self, total: int | None) -> int:
        return LARGEST_SET if total is None else min(max(total, 1), LARGEST_SET)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        distance = math.sqrt(dimension) * size ** (-1 / dimension)
        while True:
            rng = generator(seed, "sample", round)
            found = qmc.PoissonDisk(dimension, radius=distance, rng=rng).fill_space()
            if len(found) >= size:
                return found[rng.permutation(len(found))[:size]]
            distance *= SMALLER

    def problem(self, dimension: int) -> str:
        if dimension <= MOST_DIMENSIONS:
            return ""
        reason = "the memory it needs grows with the power of the dimension, and uniform points are far apart there"
        return (
            f"Poisson disk sampling is for spaces of at most {MOST_DIMENSIONS} dimensions: {reason}."
            f" This space has {dimension:,}. Allowed: any other sampler."
        )
