"""Random selection: all individuals are equally likely parents; only replacement selects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from deap import tools

from evonas.search.individual import Individual, lent_random
from evonas.search.selection.selection import Selection


@dataclass(frozen=True)
class Random(Selection):
    """All individuals are equally likely parents, as in evolution strategies (Beyer and Schwefel,
    2002)."""

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        # DEAP draws from Python's global `random`. In this block `random` follows `rng`.
        with lent_random(rng):
            parents: list[Individual] = tools.selRandom(population, count)
        return parents
