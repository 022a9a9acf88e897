"""Generational replacement: children replace all parents, even the best (Holland, 1975)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class Generational(Replacement):
    """A generation has one child for each member of the population.

    If some children fail, the next population is smaller. If all fail, the parents survive.
    """

    def offspring(self, population: int) -> int:
        return population

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
