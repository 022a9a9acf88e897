"""Generational replacement: children replace all parents, the best too (Holland, 1975)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class Generational(Replacement):
    """A population has as many children as members. Where some fail, the next one is smaller; where all fail, the
    parents live on."""

    def offspring(self, population: int) -> int:
        return population

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        return best_first(children)[:population] or best_first(parents)
