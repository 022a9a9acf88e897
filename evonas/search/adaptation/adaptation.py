"""The contract of an adaptation of operator rates. `matching.py` is a short example to copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Learned:
    """What is known of the operators, by name.

    Attributes:
        quality: estimated reward of using each operator, in [0, 1].
        shares: probability that each operator should have, if all have equal weights in the config.
    """

    quality: Mapping[str, float]
    shares: Mapping[str, float]


class Adaptation(ABC):
    """Learns from rewards which operators to use more often. Its fields are its settings in the
    YAML.

    What is learned is a pure function of the rewards in their order. An adaptation has no
    randomness and no memory of its own.
    """

    def start(self, operators: Sequence[str]) -> Learned:
        """What is assumed before any reward: all operators are equally good."""
        # Every operator starts with the greatest quality, so that each of them gets tried.
        quality = dict.fromkeys(operators, 1.0)
        equal_share = 1 / len(operators)
        shares = dict.fromkeys(operators, equal_share)
        return Learned(quality, shares)

    @abstractmethod
    def learn(self, learned: Learned, operator: str, reward: float) -> Learned:
        """What is known after this operator has earned a reward in [0, 1]."""
