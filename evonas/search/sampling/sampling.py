"""The contract of a sampler: where in the unit cube the genomes lie that nobody bred."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Genome, SearchSpace, decode

Points = NDArray[np.float64]
"""Shape (count, dimension), in [0, 1]."""

ROUND = 64
"""Points that an endless sequence makes at a time; a power of two, as Sobol's balance asks for."""

LARGEST_SET = 4096
"""Points of a set that is made as a whole; a larger budget gets several sets, one after another."""


class Sampler(ABC):
    """Makes points of the unit cube, a round after the other. Its fields are its settings in the YAML.

    Points of a round may depend on one another, and on their number. They are a function of the arguments alone, so
    that a sampler has no state but the number of points that were taken.
    """

    def size(self, total: int | None) -> int:
        """Points in a round.

        Args:
            total: points that will be asked for, as far as that is known; more may be.
        """
        return ROUND

    @abstractmethod
    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        """The points of a round, counted from 0; shape (size, dimension), in [0, 1].

        Args:
            size: what `size` gave.
            seed: of the run.
        """

    def problem(self, dimension: int) -> str:
        """Why a cube of this dimension cannot be sampled, and what can be; empty where it can."""
        return ""


class Design:
    """A sampler's genomes of a space by their numbers from 0; one round of points is kept in memory.

    Args:
        total: genomes that will be asked for, as far as that is known; more may be.
        seed: of the run.
    """

    def __init__(self, sampler: Sampler, space: SearchSpace, total: int | None, seed: int) -> None:
        self._sampler, self._space, self._seed = sampler, space, seed
        self._size = sampler.size(total)
        self._round, self._points = -1, np.empty((0, space.dimension))

    def __getitem__(self, number: int) -> Genome:
        round, place = divmod(number, self._size)
        if round != self._round:
            self._points = self._sampler.points(
                self._space.dimension, self._size, self._seed, round
            )
            self._round = round
        return decode(self._space, self._points[place])


def misfits(sampler: Sampler, space: SearchSpace) -> dict[str, str]:
    """What of the setting `sampler` does not fit a space, by key; empty where it fits."""
    wrong = sampler.problem(space.dimension)
    return {"sampler": wrong} if wrong else {}
