"""The contract of a selection scheme."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from evonas.search.individual import Individual
from evonas.trial import Objective


class Selection(ABC):
    """Chooses parents from a population. Its fields are its settings in the YAML.

    Class attributes:
        at_once: whether the parents of a whole generation are drawn by one call of `select`, for schemes whose promise
            is about many draws together. Where there is no whole generation (steady state), every call stands alone.
    """

    at_once: ClassVar[bool] = False

    @abstractmethod
    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        """`count` individuals of a non-empty population, with replacement; the population is left as it is.

        Every place of the list has the same distribution: who takes the first few takes no better ones.
        """

    def problem(self, objective: Objective) -> str:
        """Why this objective cannot be selected by, and what can; empty where it can."""
        return ""
