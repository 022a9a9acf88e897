"""Tournament selection: draw a few at random, the fittest becomes a parent (Goldberg and Deb, 1991)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge
from deap import tools

from evonas.search.individual import Individual, lent_random
from evonas.search.selection.selection import Selection


@dataclass(frozen=True)
class Tournament(Selection):
    """Attributes:
    size: individuals drawn, with replacement, for each tournament; 1 is chance, more is more pressure.
    """

    size: Annotated[int, Ge(1)] = 3

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        with lent_random(rng):
            return list(tools.selTournament(list(population), count, self.size))
