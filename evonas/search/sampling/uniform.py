"""The uniform sampler: independent draws from the prior (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler


@dataclass(frozen=True)
class Uniform(Sampler):
    """Nothing to set. Each point has a generator of its own, so that a run's points never depend on how many it has."""

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        numbers = range(round * size, (round + 1) * size)
        return np.stack([generator(seed, "sample", number).random(dimension) for number in numbers])
