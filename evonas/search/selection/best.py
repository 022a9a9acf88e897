"""Best, or truncation selection: the few best are parents, each as often (Muehlenbein and Schlierkamp-Voosen, 1993)."""

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
    """Attributes:
    count: so many of the best are parents; where fewer live, all of them. Of equal ones the older are better.
    """

    count: Annotated[int, Ge(1)] = 4

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        with lent_random(rng):
            return list(tools.selRandom(tools.selBest(best_first(population), self.count), count))
