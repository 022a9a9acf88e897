"""Random selection: everybody who lives is a parent as often; the pressure comes from replacement alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from deap import tools

from evonas.search.individual import Individual, lent_random
from evonas.search.selection.selection import Selection


@dataclass(frozen=True)
class Random(Selection):
    """As in evolution strategies, where all individuals are equally likely parents (Beyer and Schwefel, 2002)."""

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        with lent_random(rng):
            return list(tools.selRandom(list(population), count))
