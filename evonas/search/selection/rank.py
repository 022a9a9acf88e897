"""Rank selection: probabilities fall linearly from the best to the worst, whatever the distances (Baker, 1985)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Interval

from evonas.search.individual import Individual
from evonas.search.selection.selection import Selection
from evonas.search.selection.wheel import rank_shares, spun


@dataclass(frozen=True)
class Rank(Selection):
    """Attributes:
    pressure: how many times the mean the best is chosen; the worst is chosen 2 - pressure times. 1 is chance.
    """

    pressure: Annotated[float, Interval(ge=1, le=2)] = 1.8

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        return spun(population, rank_shares(population, self.pressure), count, rng)
