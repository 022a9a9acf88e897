"""Comma replacement, (mu, lambda): no parent lives on; the best of more children do (Schwefel, 1981)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class Comma(Replacement):
    """The best `population` of the children live on; mu is the population. Where fewer children succeed, the next
    population is smaller; where all fail, the parents live on.

    Attributes:
        children: lambda, the children of a generation, at least the population; null for twice the population.
    """

    children: Annotated[int, Ge(1)] | None = None

    def offspring(self, population: int) -> int:
        return self.children or 2 * population

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        return best_first(children)[:population] or best_first(parents)

    def problem(self, population: int) -> str:
        if self.offspring(population) >= population:
            return ""
        return (
            f"children must be at least the population ({population}): no parent lives on, so that fewer children could"
            f" not fill the next one. Received: {self.children}"
        )
