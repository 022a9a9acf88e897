"""The contract of a replacement scheme. `plus.py` is a short example to copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from evonas.search.individual import Individual
from evonas.search.part import Part


class Replacement(Part, ABC):
    """Makes the next population from parents and children. Its fields are its settings in the YAML.

    Class attributes:
        is_steady: whether children are bred at any time, from the population of that moment. Then
            `survivors` is called after every `offspring` children. Otherwise evolution goes on
            generation by generation, and the population waits for all its children.
    """

    is_steady: ClassVar[bool] = False

    @abstractmethod
    def offspring(self, population: int) -> int:
        """Number of children that a population of this size has in one generation; at least 1."""

    @abstractmethod
    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        """The next population, best first; empty only if there are no parents and no children.

        Args:
            parents: individuals of the current population. No two of them have one genome, and no
                child has the genome of a parent.
            children: individuals of the generation that succeeded; perhaps none.
            population: number of individuals that survive, at most.
            rng: the only source of randomness.
        """

    def problem(self, population: int) -> str:
        """What is wrong with these settings for a population of this size; empty if nothing is."""
        return ""
