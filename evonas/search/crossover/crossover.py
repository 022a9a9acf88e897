"""The contract of a crossover scheme.

`one_point.py` is an example to copy: a function makes the genes of one section, and
`evonas.genome.cross` repairs them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Interval

from evonas.genome import Genome, SearchSpace
from evonas.search.part import Part


@dataclass(frozen=True)
class Crossover(Part, ABC):
    """Makes one genome from two. Its fields are its settings in the YAML.

    Attributes:
        rate: probability that two parents are crossed for a child. Otherwise the child is a mutated
            copy of one.
    """

    rate: Annotated[float, Interval(ge=0, le=1)] = 0.25

    @abstractmethod
    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        """A valid genome made of both parents. It may equal one of them.

        Args:
            space: the search space of both parents.
            first: the main parent.
            second: the other parent.
            rng: the only source of randomness.
        """
