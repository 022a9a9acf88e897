"""Halton's sequence: in each dimension the radical inverses of 0, 1, 2, ... in another prime base (Halton, 1960)."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler


@dataclass(frozen=True)
class Halton(Sampler):
    """Attributes:
    scramble: whether the run's seed permutes the digits (Owen, 2017). Without it, dimensions with large bases are
        correlated: do not switch it off in more than a few.
    """

    scramble: bool = True

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        sequence = qmc.Halton(dimension, scramble=self.scramble, rng=generator(seed, "sample", 0))
        if round:
            sequence.fast_forward(round * size)
        return sequence.random(size)
