"""Probability matching: an operator's share is proportional to its reward (Goldberg, 1990; as in
Thierens, 2005).

In the papers, one operator makes a child. Here, all that took part in a child earn its reward, and
the shares multiply the weights of the config.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval, Le

from evonas.search.adaptation.adaptation import Adaptation, Learned


@dataclass(frozen=True)
class Matching(Adaptation):
    """The estimate Q of an operator follows its rewards, and its share P follows Q.

    For K operators and least = floor / K:
        Q <- Q + rate (reward - Q)
        P = least + (1 - K least) Q / sum of Q

    Attributes:
        rate: how fast the estimate of an operator's reward follows the rewards it earns.
        floor: least share of an operator, as a part of the equal share. 1 is no adaptation. With
            0 an operator can die out.
    """

    rate: Annotated[float, Gt(0), Le(1)] = 0.2
    floor: Annotated[float, Interval(ge=0, le=1)] = 0.5

    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        learned = learned.rewarded(operator, reward, self.rate)
        estimates = learned.estimates
        total = sum(estimates.values())
        count = len(estimates)
        # If no operator has any quality left, the formula is 0 / 0: all are alike.
        if total == 0:
            equal = dict.fromkeys(estimates, 1 / count)
            return Learned(learned.quality, equal)
        shares = {}
        for name, value in estimates.items():
            shares[name] = self.floor / count + (1 - self.floor) * value / total
        return Learned(learned.quality, shares)
