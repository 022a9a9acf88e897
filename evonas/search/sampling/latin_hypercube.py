"""Latin hypercube: n points, and each n-th part of every coordinate holds exactly one of them
(McKay, Beckman and Conover, 1979)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evonas.randomness import generator
from evonas.search.sampling.sampling import LARGEST_SET, ROUND, Points, Sampler


@dataclass(frozen=True)
class LatinHypercube(Sampler):
    """n is the budget of trials. If it is not known, hypercubes of 64 points follow one another.

    There is nothing to set.
    """

    libraries: ClassVar[tuple[str, ...]] = ("scipy",)

    def size(self, total: int | None) -> int:
        if total is None:
            return ROUND
        return min(max(total, 1), LARGEST_SET)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        # Each round is a hypercube of its own, so each has its own generator.
        rng = generator(seed, "sample", round)
        hypercube = qmc.LatinHypercube(dimension, rng=rng)
        return hypercube.random(size)
