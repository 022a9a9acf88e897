"""A network's last layer as the basis of a Bayesian linear regression (Snoek et al., 2015: DNGO)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le

from evonas.genome import Genome
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.surrogate import Fitted, Surrogate, Vector


@dataclass(frozen=True)
class Dngo(Surrogate):
    """A perceptron of `tanh` layers learns to predict the values; then its output layer is thrown away, and the last
    hidden one becomes the basis of a regression that knows its doubt. It costs no more for many trials than for few,
    but for the training, which is done now and then.

    Attributes:
        layers: hidden ones.
        units: of each of them.
        decay: the weight of the squared weights in the training's loss.
        depth: of the subtrees that are counted.
        fitted_on: trials at most: half of them the best, the others the latest.
    """

    layers: Annotated[int, Ge(1), Le(5)] = 3
    units: Annotated[int, Ge(2), Le(500)] = 50
    decay: Annotated[float, Gt(0), Le(100)] = 1.0
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000

    def tune(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
    ) -> Any:
        from evonas.search.surrogate import basis  # scikit-learn: only where a network is trained

        return basis.trained(
            features, genomes, values, (self.units,) * self.layers, self.decay, rng
        )

    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        from evonas.search.surrogate import basis

        return basis.FittedBasis(
            tuned or self.tune(features, genomes, values, rng), genomes, values
        )
