"""The contract of a sampler: where in the unit cube the genomes lie that have no parents.

`uniform.py` is a short example to copy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Genome, SearchSpace, decode
from evonas.search.part import Part

Points = NDArray[np.float64]
"""Shape (count, dimension), in [0, 1]."""

ROUND = 64
"""Points that an endless sequence makes at a time: a power of two, so that Sobol is balanced."""

LARGEST_SET = 4096
"""Points of a set that is made as a whole. A larger budget gets several sets, one after another."""


class Sampler(Part, ABC):
    """Makes points of the unit cube, one round after another. Its fields are its settings in the
    YAML.

    The points of a round may depend on one another and on their number. They are a function of
    the arguments alone. So the number of points that were taken is all of a sampler's state.

    Class attributes:
        libraries: packages besides NumPy whose versions may change the points.
    """

    libraries: ClassVar[tuple[str, ...]] = ()

    def size(self, total: int | None) -> int:
        """Number of points in a round.

        Args:
            total: number of points that will be asked for, or None if it is not known. More may
                be asked for.
        """
        return ROUND

    @abstractmethod
    def points(self, dimension: int, size: int, seed: int, round: int) -> Points:
        """The points of a round; shape (size, dimension), in [0, 1].

        Args:
            dimension: dimension of the cube.
            size: number of points, as `size` gave it.
            seed: seed of the run.
            round: number of the round, from 0.
        """

    def problem(self, dimension: int) -> str:
        """Why a cube of this dimension cannot be sampled, and which can; empty if it can."""
        return ""


class Design:
    """The genomes that a sampler gives for a space, by their numbers from 0.

    Only one round of points is kept in memory.

    Args:
        sampler: sampler of the points.
        space: search space of the genomes.
        total: number of genomes that will be asked for, or None if it is not known. More may be
            asked for.
        seed: seed of the run.
    """

    def __init__(self, sampler: Sampler, space: SearchSpace, total: int | None, seed: int) -> None:
        self._sampler = sampler
        self._space = space
        self._seed = seed
        self._size = sampler.size(total)
        # No round has this number, so the first genome makes the points of its round.
        self._round = -1
        self._points = np.empty((0, space.dimension))

    def __getitem__(self, number: int) -> Genome:
        round, place = divmod(number, self._size)
        if round != self._round:
            dimension = self._space.dimension
            self._points = self._sampler.points(dimension, self._size, self._seed, round)
            self._round = round
        point = self._points[place]
        return decode(self._space, point)


def misfits(sampler: Sampler, space: SearchSpace) -> dict[str, str]:
    """Why the setting `sampler` does not fit a space, by key; empty if it fits."""
    wrong = sampler.problem(space.dimension)
    if not wrong:
        return {}
    return {"sampler": wrong}
