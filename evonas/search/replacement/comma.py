"""Comma replacement, (mu, lambda): only children survive, the best of them (Schwefel, 1981)."""

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
    """The best `population` of the children survive; mu is the population.

    If fewer children succeed, the next population is smaller. If all fail, the parents survive.

    Attributes:
        children: lambda, the number of children of a generation, at least the population; null
            for twice the population.
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
        ranked = best_first(children)
        # Without any successful child the search would have no parents left.
        if not ranked:
            return best_first(parents)
        return ranked[:population]

    def problem(self, population: int) -> str:
        if self.offspring(population) >= population:
            return ""
        return (
            f"children must be at least the population ({population}):"
            " no parent lives on, so that fewer children could not fill the next one."
            f" Received: {self.children}"
        )
