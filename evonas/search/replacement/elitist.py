"""Elitist replacement: the best parents live on, children replace all others (De Jong, 1975)."""

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
    """Attributes:
    elites: parents that live on, untrained; the population has `population - elites` children a generation.
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
        elites = best_first(parents)[: self.elites]
        return best_first([*elites, *children])[:population] or best_first(parents)

    def problem(self, population: int) -> str:
        if self.elites < population:
            return ""
        return f"elites must be less than the population ({population}), or nobody is ever born. Received: {self.elites}"
