"""Tournament replacement: parents and children meet random opponents; most wins survive (Fogel,
1995).

The survivor selection of evolutionary programming. There, every member has one child by mutation
alone; here, parents are selected and may be crossed, and equal wins are ranked by fitness. See also
Eiben and Smith, Introduction to Evolutionary Computing (2015), section 5.3.2, "round-robin
tournament".
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
    """All parents and children compete, and the `population` with most wins survive.

    Each individual meets `opponents` others, drawn with replacement. The better one wins; of two
    equal ones the older wins. Individuals with equal wins are ranked by fitness. The best of all
    wins every meeting, so it is never lost. A bad one may survive by luck.

    Attributes:
        opponents: number of meetings of each individual. With 1, survival is near chance; with
            very many, the scheme is as strict as `plus`.
        children: number of children of a generation; null for the population.
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
        count = len(ranked)
        wins = self.wins(count, rng)
        # A rank is a place in `ranked`. Sorting is stable, so equal wins stay in this order.
        by_wins = sorted(range(count), key=lambda rank: -wins[rank])
        surviving = by_wins[:population]
        # A population is best first, so the survivors go back to the order of their fitness.
        surviving.sort()
        return [ranked[rank] for rank in surviving]

    def wins(self, count: int, rng: np.random.Generator) -> list[int]:
        """Number of meetings that each of `count` individuals wins, the best individual first."""
        # A single individual has no opponent to draw.
        if count < 2:
            return [self.opponents] * count
        # Numbers from 0 to count - 2, one for each possible opponent. From the own rank upwards
        # a number means the next rank, so that no individual meets itself.
        drawn = rng.integers(count - 1, size=(count, self.opponents))
        ranks = np.arange(count)[:, None]
        met = drawn + (drawn >= ranks)
        # A smaller rank is better.
        is_won = met > ranks
        totals = is_won.sum(axis=1)
        return [int(total) for total in totals]
