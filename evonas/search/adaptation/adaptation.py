"""The contract of an adaptation of operator rates. `matching.py` is a short example to copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas.search.part import Part

# An operator begins with the greatest quality, so that it is not given up after its first child.
FIRST = 1.0


@dataclass(frozen=True)
class Learned:
    """What is known of the operators, by name.

    Attributes:
        quality: estimated reward of each operator that took part in a child, in [0, 1].
        shares: probability that each operator should have, if all have equal weights in the config.
    """

    quality: Mapping[str, float]
    shares: Mapping[str, float]

    @property
    def estimates(self) -> dict[str, float]:
        """The quality of every operator. One that took part in nothing is taken as the average.

        There are operators that can never be applied in a space, such as `add_skip` in one without
        connections. No reward would ever correct a greater estimate of such an operator.
        """
        average = sum(self.quality.values()) / len(self.quality) if self.quality else FIRST
        return {name: self.quality.get(name, average) for name in self.shares}

    def rewarded(self, operator: str, reward: float, rate: float) -> Learned:
        """The same shares, and the operator's estimate moved by `rate` towards its reward."""
        # An exponential, recency-weighted average.
        old = self.quality.get(operator, FIRST)
        quality = {**self.quality, operator: old + rate * (reward - old)}
        return Learned(quality, self.shares)


class Adaptation(Part, ABC):
    """Learns from rewards which operators to use more often. Its fields are its settings in the
    YAML.

    What is learned is a pure function of the rewards in their order. An adaptation has no
    randomness and no memory of its own.
    """

    def start(self, operators: Sequence[str]) -> Learned:
        """What is assumed before any reward: all operators are equally good."""
        equal_share = 1 / len(operators)
        return Learned({}, dict.fromkeys(operators, equal_share))

    @abstractmethod
    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        """What is known after this operator has earned a reward in [0, 1]."""
