"""Adaptive pursuit: the share of the best operator grows, all others fall to a floor (Thierens,
2005).

An adaptive pursuit strategy for allocating operator probabilities, GECCO 2005. There, one operator
makes a child. Here, all that took part in a child earn its reward, one after the other, and the
shares multiply the weights of the config.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval, Le

from evonas.search.adaptation.adaptation import Adaptation, Learned


@dataclass(frozen=True)
class Pursuit(Adaptation):
    """The estimate Q of an operator follows its rewards. The share P moves by the order of Q.

    For K operators and least = floor / K:
        Q <- Q + rate (reward - Q)
        P <- P + pursuit (target - P)
    The target of the best operator is 1 - (K - 1) least. The target of every other one is least.

    Attributes:
        rate: how fast the estimate of an operator's reward follows the rewards it earns; alpha in
            the paper.
        pursuit: how fast the shares follow the estimates; beta in the paper.
        floor: least share of an operator, as a part of the equal share. The paper recommends 1/2.
    """

    rate: Annotated[float, Gt(0), Le(1)] = 0.2
    pursuit: Annotated[float, Gt(0), Le(1)] = 0.2
    floor: Annotated[float, Interval(ge=0, le=1)] = 0.5

    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        learned = learned.rewarded(operator, reward, self.rate)
        estimates = learned.estimates
        count = len(estimates)
        # Of equally good operators `max` takes the first in the config's list of operators.
        best = max(estimates, key=lambda name: estimates[name])
        least = self.floor / count
        most = 1 - (count - 1) * least
        shares = {}
        for name, share in learned.shares.items():
            target = most if name == best else least
            shares[name] = share + self.pursuit * (target - share)
        return Learned(learned.quality, shares)
