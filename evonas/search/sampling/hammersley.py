"""Hammersley's set: the first coordinate counts through, the others are Halton's (Hammersley, 1960)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.randomness import generator
from evonas.search.sampling.halton import Halton
from evonas.search.sampling.sampling import LARGEST_SET, ROUND, Points, Sampler


@dataclass(frozen=True)
class Hammersley(Sampler):
    """Point i of n has the first coordinate i / n, so n, the budget of trials, must be known; else sets of 64 follow
    one another. Halton's sequence in the other coordinates goes on from set to set.

    Attributes:
        scramble: whether the run's seed permutes the digits, shifts the first coordinate, and shuffles the order, which
            would else go through the first coordinate from end to end.
    """

    scramble: bool = True

    def size(self, total: int | None) -> int:
        return ROUND if total is None else min(max(total, 1), LARGEST_SET)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        first = np.arange(size) / size
        others = (
            Halton(self.scramble).points(dimension - 1, size, seed, round)
            if dimension > 1
            else np.empty((size, 0))
        )
        if not self.scramble:
            return np.column_stack([first, others])
        rng = generator(seed, "sample", 1, round)
        first += rng.random() / size
        return np.column_stack([first, others])[rng.permutation(size)]
