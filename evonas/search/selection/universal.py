"""Stochastic universal sampling: one spin of the wheel with many pointers, so that luck is least (Baker, 1987)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval

from evonas.search.individual import Individual
from evonas.search.selection.selection import Selection
from evonas.search.selection.wheel import inverse_problem, inverse_shares, rank_shares, spun_once
from evonas.trial import Objective


@dataclass(frozen=True)
class StochasticUniversal(Selection):
    """The parents of a generation are drawn together: who is expected 2.3 times, comes 2 or 3 times.

    Attributes:
        shares: `rank`, as in rank selection, for any objective; `loss`, as in roulette.
        pressure: of the shares by rank.
    """

    at_once: ClassVar[bool] = True

    shares: Literal["rank", "loss"] = "rank"
    pressure: Annotated[float, Interval(ge=1, le=2)] = 1.8

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        shares = (
            inverse_shares(population)
            if self.shares == "loss"
            else rank_shares(population, self.pressure)
        )
        return spun_once(population, shares, count, rng)

    def problem(self, objective: Objective) -> str:
        wrong = inverse_problem(objective) if self.shares == "loss" else ""
        return (
            wrong
            and f"stochastic_universal by loss {wrong.removesuffix('.')}, and so does `shares: rank`."
        )
