"""Tournament selection: the fittest of a few random individuals is a parent (Goldberg and Deb,
1991)."""

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
    """Each parent is the winner of its own tournament.

    Attributes:
        size: number of individuals that are drawn for each tournament, with replacement. With 1,
            all individuals have the same chance. A larger size prefers the fitter ones more.
    """

    size: Annotated[int, Ge(1)] = 3

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        # DEAP draws from Python's global `random`. In this block `random` follows `rng`, so that
        # equal seeds give equal parents.
        with lent_random(rng):
            parents: list[Individual] = tools.selTournament(population, count, self.size)
        return parents
