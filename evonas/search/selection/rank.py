"""Rank selection: probabilities fall linearly from the best to the worst (Baker, 1985)."""

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
    """Only the order of the individuals matters, not how far apart their losses are.

    Attributes:
        pressure: how much more often the best is chosen than the mean individual. The worst is
            chosen 2 - pressure times as often as the mean. With 1, all have the same chance.
    """

    pressure: Annotated[float, Interval(ge=1, le=2)] = 1.8

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        shares = rank_shares(population, self.pressure)
        return spun(population, shares, count, rng)
