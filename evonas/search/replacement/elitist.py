"""Elitist replacement: the best parents survive, children replace all others (De Jong, 1975).

De Jong keeps the one best parent; here, `elites` of them are kept. If children fail, the next
population is smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class Elitist(Replacement):
    """The best parents keep their places, and children fill the rest.

    Attributes:
        elites: number of parents that survive without a new training. A generation has
            `population - elites` children.
    """

    elites: Annotated[int, Ge(0)] = 2

    def offspring(self, population: int) -> int:
        return population - self.elites

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        ranked = best_first(parents)
        elites = ranked[: self.elites]
        candidates = best_first([*elites, *children])
        # With no elites and no successful child the search would have no parents left.
        if not candidates:
            return ranked
        return candidates[:population]

    def problem(self, population: int) -> str:
        if self.elites < population:
            return ""
        return (
            f"elites must be less than the population ({population}), or nobody is ever born."
            f" Received: {self.elites}"
        )
