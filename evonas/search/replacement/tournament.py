"""Tournament replacement: parents and children meet opponents at random, most wins live on (Fogel, 1995).

The survivor selection of evolutionary programming; also Eiben and Smith, Introduction to Evolutionary Computing (2015),
section 5.3.2, "round-robin tournament".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonas.search.individual import Individual, best_first
from evonas.search.replacement.replacement import Replacement


@dataclass(frozen=True)
class TournamentReplacement(Replacement):
    """All parents and all children compete. Each meets `opponents` others, drawn with replacement from all but itself,
    and wins where it is the better; of equal ones the older wins. The `population` with most wins live on; equal
    wins are ranked by fitness. The best of all wins always, and so is never lost; a bad one may live on by luck.

    Attributes:
        opponents: meetings of each; 1 is near chance, very many are as strict as `plus`.
        children: of a generation; null for as many as the population has members.
    """

    opponents: Annotated[int, Ge(1)] = 10
    children: Annotated[int, Ge(1)] | None = None

    def offspring(self, population: int) -> int:
        return self.children or population

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        ranked = best_first([*parents, *children])
        wins = self.wins(len(ranked), rng)
        order = sorted(range(len(ranked)), key=lambda rank: (-wins[rank], rank))[:population]
        return [ranked[rank] for rank in sorted(order)]

    def wins(self, count: int, rng: np.random.Generator) -> list[int]:
        """How many meetings each of so many individuals wins, the best first."""
        if count < 2:
            return [self.opponents] * count
        drawn = rng.integers(
            count - 1, size=(count, self.opponents)
        )  # 0 .. count - 2: all ranks but its own
        ranks = np.arange(count)[:, None]
        met = drawn + (drawn >= ranks)
        return [int(won) for won in (met > ranks).sum(axis=1)]
