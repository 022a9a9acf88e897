"""Steady state: a child replaces the worst as soon as it is known; there are no generations (Whitley, 1989; Syswerda,
1991)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class SteadyState(Replacement):
    """Whenever `children` trials more are known, those of them that succeeded replace as many of the worst who live,
    also better ones than they are. Meanwhile others are born of whoever lives: nobody waits.

    Attributes:
        children: trials that are known before the population changes; less than the population.
    """

    is_steady: ClassVar[bool] = True

    children: Annotated[int, Ge(1)] = 1

    def offspring(self, population: int) -> int:
        return self.children

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        stay = best_first(parents)[: max(0, population - len(children))]
        return best_first([*stay, *children])[:population]

    def problem(self, population: int) -> str:
        if self.children < population:
            return ""
        return (
            f"children must be less than the population ({population}), or nobody is left who was not just born."
            f" Received: {self.children}. Where all are replaced at once, write `generational`."
        )
