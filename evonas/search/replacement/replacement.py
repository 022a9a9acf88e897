"""The contract of a replacement scheme."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from evonas.search.individual import Individual


class Replacement(ABC):
    """Makes the next population from parents and children. Its fields are its settings in the YAML.

    Class attributes:
        is_steady: whether children are born at any time, of whoever lives then, and `offspring` of them at a time come
            before `survivors`; otherwise, generation after generation, the population waits for all its children.
    """

    is_steady: ClassVar[bool] = False

    @abstractmethod
    def offspring(self, population: int) -> int:
        """How many children a population of this size has in one generation; at least 1."""

    @abstractmethod
    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        """The next population, best first, of at most `population` individuals; never empty unless both are.

        Args:
            parents: who lives; no two have one genome, and no child has one of theirs.
            children: the successful ones of a generation; perhaps none.
        """

    def problem(self, population: int) -> str:
        """What is wrong with these settings for a population of this size; empty where nothing is."""
        return ""
