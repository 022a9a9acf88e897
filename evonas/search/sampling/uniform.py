"""The uniform sampler: independent draws from the prior (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler


@dataclass(frozen=True)
class Uniform(Sampler):
    """Every point is drawn on its own. There is nothing to set."""

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        points = []
        start = round * size
        for number in range(start, start + size):
            # A generator for each point: a point depends on its number, not on the budget.
            rng = generator(seed, "sample", number)
            point = rng.random(dimension)
            points.append(point)
        return np.stack(points)
