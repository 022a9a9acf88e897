"""No adaptation: the rates of the config do not change."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.search.adaptation.adaptation import Adaptation, Learned


@dataclass(frozen=True)
class Fixed(Adaptation):
    """Rewards are ignored. There is nothing to set."""

    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        # `Credit` recognises by this very object that nothing was learned.
        return learned
