"""The contract of a selection scheme. `tournament.py` is a short example to copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from evonas.search.individual import Individual
from evonas.search.part import Part
from evonas.trial import Objective


class Selection(Part, ABC):
    """Chooses parents from a population. Its fields are its settings in the YAML.

    Class attributes:
        at_once: whether one call of `select` draws the parents of a whole generation. Set it in a
            scheme whose promise is about many draws together. A steady state has no whole
            generation, so every call there stands alone.
    """

    at_once: ClassVar[bool] = False

    @abstractmethod
    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        """Draw parents, with replacement. The population is not changed.

        Every place of the returned list has the same distribution. The first few places are no
        better than the others.

        Args:
            population: the individuals to choose from; at least one.
            count: number of parents to return.
            rng: the only source of randomness.
        """

    def problem(self, objective: Objective) -> str:
        """Why this scheme cannot select by this objective, and which can; empty if it can."""
        return ""
