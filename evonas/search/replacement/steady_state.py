"""Steady state: a child replaces the worst as soon as it is known; there are no generations
(Whitley, 1989; Syswerda, 1991)."""

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
    """The population changes whenever the results of `children` more trials are known.

    The successful ones replace the same number of the worst individuals. Meanwhile other children
    are bred from the current population, so no worker waits.

    Attributes:
        children: number of trials that must be known before the population changes; less than the
            population.
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
        ranked = best_first(parents)
        places_left = max(0, population - len(children))
        # The worst parents go even if a child is worse than they are.
        stay = ranked[:places_left]
        survivors = best_first([*stay, *children])
        return survivors[:population]

    def problem(self, population: int) -> str:
        if self.children < population:
            return ""
        return (
            f"children must be less than the population ({population}),"
            " or nobody is left who was not just born."
            f" Received: {self.children}. Where all are replaced at once, write `generational`."
        )
