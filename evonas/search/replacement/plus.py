"""Plus replacement, (mu + lambda): parents and children compete together (Schwefel, 1981)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class Plus(Replacement):
    """The best `population` of parents and children survive; mu is the population.

    Attributes:
        children: lambda, the number of children of a generation; null for the population.
    """

    children: Annotated[int, Ge(1)] | None = None

    def offspring(self, population: int) -> int:
        return self.children or population

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        ranked = best_first([*parents, *children])
        return ranked[:population]
