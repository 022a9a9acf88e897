"""The contract of a surrogate: fit genomes with values, predict others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Genome
from evonas.search.surrogate.features import Features

Vector = NDArray[np.float64]


class Fitted(ABC):
    """What a surrogate has learned."""

    @abstractmethod
    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        """The mean and the standard deviation of each genome's value.

        Returns:
            Two arrays of shape (len(genomes),), in units of the values that were fitted.
        """


class Surrogate(ABC):
    """Its fields are its settings in the YAML. A pure function of what it is given, randomness included.

    Attributes:
        depth: of the subtrees that are counted in `Features`.
        fitted_on: trials at most.
    """

    depth: int
    fitted_on: int

    def tune(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
    ) -> Any:
        """What is costly to learn and holds for some trials more, to be given to `fit`; nothing by default."""
        return None

    @abstractmethod
    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        """Learn.

        Args:
            features: of the space that the genomes are from.
            genomes: at least two.
            values: shape (len(genomes),), less is better; about standard normal.
            rng: for surrogates that need chance.
            tuned: what `tune` gave for these genomes, or some of them; None to tune here.
        """
