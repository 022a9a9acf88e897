"""The contract of a crossover scheme."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Interval

from evonas.genome import Genome, SearchSpace


@dataclass(frozen=True)
class Crossover(ABC):
    """Attributes:
    rate: the probability that a child has two parents; otherwise it is a mutated copy of one.
    """

    rate: Annotated[float, Interval(ge=0, le=1)] = 0.25

    @abstractmethod
    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        """A valid genome made of both; `first` is the main parent. It may equal a parent."""
