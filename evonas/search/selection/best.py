"""Best, or truncation selection: only the best few are parents (Muehlenbein and
Schlierkamp-Voosen, 1993)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge
from deap import tools

from evonas.search.individual import Individual, best_first, lent_random
from evonas.search.selection.selection import Selection


@dataclass(frozen=True)
class Best(Selection):
    """The best few individuals are parents, all with the same probability.

    The paper takes a share of the population; here, it is a number of individuals.

    Attributes:
        count: number of individuals that can be parents; all of a smaller population. Of equal
            individuals the older is better.
    """

    count: Annotated[int, Ge(1)] = 4

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        # `selBest` keeps the order of equal individuals. Sorting first makes that order their age.
        ranked = best_first(population)
        candidates = tools.selBest(ranked, self.count)
        with lent_random(rng):
            parents: list[Individual] = tools.selRandom(candidates, count)
        return parents
