"""Hammersley's set: the first coordinate counts through, the others are Halton's (Hammersley,
1960)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evonas.randomness import generator
from evonas.search.sampling.halton import Halton
from evonas.search.sampling.sampling import LARGEST_SET, ROUND, Points, Sampler


@dataclass(frozen=True)
class Hammersley(Sampler):
    """Point i of n has the first coordinate i / n.

    So n must be known, which is the budget of trials. Otherwise sets of 64 points follow one
    another. Halton's sequence in the other coordinates continues from set to set.

    Attributes:
        scramble: whether the run's seed permutes the digits, shifts the first coordinate and
            shuffles the order of the points.
    """

    scramble: bool = True

    libraries: ClassVar[tuple[str, ...]] = ("scipy",)

    def size(self, total: int | None) -> int:
        if total is None:
            return ROUND
        return min(max(total, 1), LARGEST_SET)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        first = np.arange(size) / size
        if dimension > 1:
            others = Halton(self.scramble).points(dimension - 1, size, seed, round)
        else:
            others = np.empty((size, 0))
        if not self.scramble:
            return np.column_stack([first, others])
        rng = generator(seed, "sample", 1, round)
        first += rng.random() / size
        points = np.column_stack([first, others])
        # Unshuffled, the trials would go through the first coordinate from one end to the other.
        return points[rng.permutation(size)]
