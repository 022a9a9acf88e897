"""The contract of a surrogate: fit genomes with values, predict others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Genome
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.guide import Guide

Vector = NDArray[np.float64]


class Fitted(ABC):
    """What a surrogate has learned."""

    @abstractmethod
    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        """The mean and the standard deviation of each genome's value.

        Returns:
            Two arrays of shape (len(genomes),), in units of the values that were fitted.
        """


class Surrogate(Guide, ABC):
    """Predicts the values of genomes. Its fields are its settings in the YAML.

    What it learns is a pure function of the arguments, including the random generator.

    Attributes:
        depth: depth of the subtrees that are counted in `Features`.
        fitted_on: number of trials that are fitted, at most.

    Class attributes:
        libraries: packages besides NumPy whose versions may change the predictions, and what is
            made of them: the expected improvement is SciPy's.
    """

    depth: int
    fitted_on: int
    libraries: ClassVar[tuple[str, ...]] = ("scipy",)

    def tune(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
    ) -> Any:
        """What is costly to learn and stays valid for some more trials; None by default.

        The result is given to `fit`.
        """
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
        """Learn to predict.

        Args:
            features: features of the space that the genomes are from.
            genomes: genomes to learn from, at least two.
            values: value of each genome, shape (len(genomes),); less is better, and they are about
                standard normal.
            rng: the only source of randomness.
            tuned: result of `tune` for these genomes or for some of them; None to tune here.
        """
