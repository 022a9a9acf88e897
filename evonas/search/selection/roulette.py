"""Roulette selection: probabilities inversely proportional to the loss (Holland, 1975; Goldberg,
1989)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonas.search.individual import Individual
from evonas.search.selection.selection import Selection
from evonas.search.selection.wheel import inverse_problem, inverse_shares, spun
from evonas.trial import Objective


@dataclass(frozen=True)
class Roulette(Selection):
    """Each individual has a share of the wheel: its 1 / loss, divided by the sum over all."""

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        shares = inverse_shares(population)
        return spun(population, shares, count, rng)

    def problem(self, objective: Objective) -> str:
        wrong = inverse_problem(objective)
        if not wrong:
            return ""
        return f"roulette {wrong}"
