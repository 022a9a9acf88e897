"""No adaptation: the rates stay as the config has them."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.search.adaptation.adaptation import Adaptation, Learned


@dataclass(frozen=True)
class Fixed(Adaptation):
    """Nothing to set."""

    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        return learned
