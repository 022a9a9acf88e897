"""Stochastic universal sampling: one spin of the wheel with many pointers, so that chance matters
least (Baker, 1987)."""

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
    """The parents of a generation are drawn together.

    An individual whose expected number of draws is 2.3 is drawn 2 or 3 times.

    Attributes:
        shares: how the wheel is shared. `rank` works as in rank selection and takes any objective;
            `loss` works as in roulette.
        pressure: pressure of the shares by rank, as in rank selection.
    """

    # One call of `select` must draw all parents: the promise is about the draws of one spin.
    at_once: ClassVar[bool] = True

    shares: Literal["rank", "loss"] = "rank"
    pressure: Annotated[float, Interval(ge=1, le=2)] = 1.8

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        if self.shares == "loss":
            shares = inverse_shares(population)
        else:
            shares = rank_shares(population, self.pressure)
        return spun_once(population, shares, count, rng)

    def problem(self, objective: Objective) -> str:
        if self.shares != "loss":
            return ""
        wrong = inverse_problem(objective)
        if not wrong:
            return ""
        # The advice gets one more way out: the same scheme with its other shares.
        advice = wrong.removesuffix(".")
        return f"stochastic_universal by loss {advice}, and so does `shares: rank`."
