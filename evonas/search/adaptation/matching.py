"""Probability matching: an operator's share is proportional to its reward (Goldberg, 1990; as in Thierens, 2005)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval, Le

from evonas.search.adaptation.adaptation import Adaptation, Learned


@dataclass(frozen=True)
class Matching(Adaptation):
    """Q <- Q + rate (reward - Q), then P = least + (1 - K least) Q / sum of Q, where least = floor / K for K operators.

    Attributes:
        rate: how fast the estimate of an operator's reward follows what it earns.
        floor: the least share, as a part of the equal share; 1 is no adaptation, 0 lets an operator die out.
    """

    rate: Annotated[float, Gt(0), Le(1)] = 0.2
    floor: Annotated[float, Interval(ge=0, le=1)] = 0.5

    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        quality = updated(learned.quality, operator, reward, self.rate)
        total, count = sum(quality.values()), len(quality)
        if total == 0:
            return Learned(quality, dict.fromkeys(quality, 1 / count))
        shares = {
            name: self.floor / count + (1 - self.floor) * value / total
            for name, value in quality.items()
        }
        return Learned(quality, shares)


def updated(
    quality: Mapping[str, float], operator: str, reward: float, rate: float
) -> dict[str, float]:
    """The estimates after a reward: an exponential, recency-weighted average."""
    return {**quality, operator: quality[operator] + rate * (reward - quality[operator])}
