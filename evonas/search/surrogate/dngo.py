"""A network's last layer as the basis of a Bayesian linear regression (Snoek et al.,
2015: DNGO).

The paper tunes the network's settings, trains it by stochastic gradient descent, and integrates
over the regression's precisions. Here, settings are the user's, training is by few steps of L-BFGS,
and the most likely precisions are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from evonas.genome import Genome
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.surrogate import Fitted, Surrogate, Vector


@dataclass(frozen=True)
class Dngo(Surrogate):
    """A perceptron of `tanh` layers learns to predict the values.

    Then its output layer is thrown away. The last hidden layer becomes the basis of a regression
    that also predicts its uncertainty. Only the training costs more with more trials, and it is
    repeated only now and then.

    Attributes:
        layers: number of hidden layers.
        units: number of units of each hidden layer.
        decay: weight of the squared weights in the training's loss.
        depth: depth of the subtrees that are counted.
        fitted_on: number of trials, at most: half of them the best, the others the latest.
    """

    layers: Annotated[int, Ge(1), Le(5)] = 3
    units: Annotated[int, Ge(2), Le(500)] = 50
    decay: Annotated[float, Gt(0), Le(100)] = 1.0
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000

    libraries: ClassVar[tuple[str, ...]] = ("scipy", "scikit-learn")

    def tune(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
    ) -> Any:
        # scikit-learn is slow to import, so only a run that trains a network does it.
        from evonas.search.surrogate import basis

        hidden = (self.units,) * self.layers
        return basis.trained(features, genomes, values, hidden, self.decay, rng)

    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        from evonas.search.surrogate import basis

        learned = tuned
        if not learned:
            learned = self.tune(features, genomes, values, rng)
        return basis.FittedBasis(learned, genomes, values)
