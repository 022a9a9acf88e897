"""The contract of a replacement scheme."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from evonas.search.individual import Individual


class Replacement(ABC):
    """Makes the next population from parents and children. Its fields are its settings in the YAML."""

    @abstractmethod
    def offspring(self, population: int) -> int:
        """How many children a population of this size has in one generation; at least 1."""

    @abstractmethod
    def survivors(
        self, parents: Sequence[Individual], children: Sequence[Individual], population: int
    ) -> list[Individual]:
        """The next population, best first, of at most `population` individuals; never empty unless both are."""

    def problem(self, population: int) -> str:
        """What is wrong with these settings for a population of this size; empty where nothing is."""
        return ""
