"""The contract of a selection scheme."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from evonas.search.individual import Individual


class Selection(ABC):
    """Chooses parents from a population. Its fields are its settings in the YAML."""

    @abstractmethod
    def select(self, population: Sequence[Individual], count: int, rng: np.random.Generator) -> list[Individual]:
        """`count` individuals of a non-empty population, with replacement; the population is left as it is."""
