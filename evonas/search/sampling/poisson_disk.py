"""Poisson disk: random points, no two of them close to one another (Cook, 1986; drawn as in
Bridson, 2007)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler

MOST_DIMENSIONS = 7
"""The grid that finds neighbours has about 5 cells a dimension. In 7 dimensions it takes 8 MB and
a second, in 10 dimensions 10 GB."""

LARGEST_SET = 128
"""Points of a set, at most."""

SMALLER = 0.9
"""Factor by which the distance shrinks until the points fit."""


@dataclass(frozen=True)
class PoissonDisk(Sampler):
    """A set has one point for each trial of the budget, at most 128; larger budgets get several
    sets.

    The distance is the largest, in steps of a tenth, at which all points of a set fit. There is
    nothing to set.
    """

    libraries: ClassVar[tuple[str, ...]] = ("scipy",)

    def size(self, total: int | None) -> int:
        if total is None:
            return LARGEST_SET
        return min(max(total, 1), LARGEST_SET)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        # The diagonal of a cell if the cube is cut into `size` equal cells. At this distance the
        # points hardly ever fit, so the search for the largest distance can begin here.
        distance = math.sqrt(dimension) * size ** (-1 / dimension)
        while True:
            # Each attempt starts from the same generator. So the result is a function of the last
            # distance alone, not of the attempts before it.
            rng = generator(seed, "sample", round)
            disk = qmc.PoissonDisk(dimension, radius=distance, rng=rng)
            found = disk.fill_space()
            if len(found) >= size:
                # SciPy grows the set outwards from one point. The first `size` points would leave
                # a part of the cube empty, so a random choice of them is taken.
                chosen = rng.permutation(len(found))[:size]
                return found[chosen]
            distance *= SMALLER

    def problem(self, dimension: int) -> str:
        if dimension <= MOST_DIMENSIONS:
            return ""
        return (
            f"Poisson disk sampling is for spaces of at most {MOST_DIMENSIONS} dimensions:"
            " the memory it needs grows with the power of the dimension,"
            " and uniform points are far apart there."
            f" This space has {dimension:,}. Allowed: any other sampler."
        )
