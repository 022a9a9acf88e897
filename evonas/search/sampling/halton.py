"""Halton's sequence: each coordinate is the radical inverse of 0, 1, 2, ... in a prime base of its
own (Halton, 1960)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evonas.randomness import generator
from evonas.search.sampling.sampling import Points, Sampler


@dataclass(frozen=True)
class Halton(Sampler):
    """One endless sequence, of which each round is the next part.

    Attributes:
        scramble: whether the run's seed permutes the digits (Owen, 2017). Without it dimensions
            with large bases are correlated, so switch it off in a few dimensions only.
    """

    scramble: bool = True

    libraries: ClassVar[tuple[str, ...]] = ("scipy",)

    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        from scipy.stats import qmc

        # All rounds use the generator of round 0, for they are parts of one scrambled sequence.
        rng = generator(seed, "sample", 0)
        sequence = qmc.Halton(dimension, scramble=self.scramble, rng=rng)
        if round:
            sequence.fast_forward(round * size)
        return sequence.random(size)
