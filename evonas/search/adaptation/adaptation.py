"""The contract of an adaptation of operator rates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Learned:
    """What is known of the operators, by name.

    Attributes:
        quality: an estimate of the reward of using each, in [0, 1].
        shares: the probability that each should have, where all are weighted alike.
    """

    quality: Mapping[str, float]
    shares: Mapping[str, float]


class Adaptation(ABC):
    """Learns from rewards which operators to use more often. Its fields are its settings in the YAML.

    A pure function of the rewards in order: no randomness, no memory of its own.
    """

    def start(self, operators: Sequence[str]) -> Learned:
        """Before any reward: every operator is trusted, so that each is tried, and all are alike."""
        return Learned(dict.fromkeys(operators, 1.0), dict.fromkeys(operators, 1 / len(operators)))

    @abstractmethod
    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        """What is known after this operator has earned a reward in [0, 1]."""
