"""Adaptive pursuit: the operator with the best reward is pursued, all others fall to a floor (Thierens, 2005).

An adaptive pursuit strategy for allocating operator probabilities, GECCO 2005.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval, Le

from evonas.search.adaptation.adaptation import Adaptation, Learned
from evonas.search.adaptation.matching import updated


@dataclass(frozen=True)
class Pursuit(Adaptation):
    """Q <- Q + rate (reward - Q); then the best operator's P moves towards 1 - (K - 1) least by `pursuit`, every other
    one's towards least = floor / K, for K operators. Of equal ones the first in the list of operators is pursued.

    Attributes:
        rate: how fast the estimate of an operator's reward follows what it earns; alpha in the paper.
        pursuit: how fast the shares follow the estimates; beta in the paper.
        floor: the least share, as a part of the equal share; the paper recommends 1/2.
    """

    rate: Annotated[float, Gt(0), Le(1)] = 0.2
    pursuit: Annotated[float, Gt(0), Le(1)] = 0.2
    floor: Annotated[float, Interval(ge=0, le=1)] = 0.5

    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        quality = updated(learned.quality, operator, reward, self.rate)
        count = len(quality)
        best = max(quality, key=lambda name: quality[name])
        least = self.floor / count
        most = 1 - (count - 1) * least
        shares = {
            name: share + self.pursuit * ((most if name == best else least) - share)
            for name, share in learned.shares.items()
        }
        return Learned(quality, shares)
