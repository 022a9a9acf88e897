"""Bayesian optimization with a small neural network as the surrogate.

The network is trained to predict the fitness of genomes. Its last hidden layer is the basis of a
Bayesian linear regression, which gives a prediction and its uncertainty. `model_based.py` has the
search itself.

Paper: Snoek et al., 2015: Scalable Bayesian optimization using deep neural networks (DNGO). The
paper tunes the network's settings, trains it by stochastic gradient descent, and integrates over
the regression's precisions. Here, settings are the user's, training is by few steps of L-BFGS, and
the most likely precisions are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from evonas.search.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import Dngo


@dataclass(frozen=True)
class DngoSettings(ModelBasedSettings):
    """The section `strategy.dngo` of a config.

    Expected improvement under a Bayesian linear regression on what a network has learned.

    Attributes:
        initial: number of random trials at the beginning.
        candidates: number of genomes that are compared for each proposal. A sixth is drawn at
            random, and a sixth comes from the best trials by mutation. The rest comes from the most
            promising of these.
        parents: number of the best trials, and of the most promising candidates, that other
            candidates come from.
        mutation: how candidates are edited; `rate` has no effect here, because there is no
            crossover.
        layers: number of hidden layers of the network.
        units: number of units of each hidden layer.
        decay: weight of the squared weights in the training's loss.
        depth: depth of the subtrees of a genome that are counted.
        fitted_on: largest number of trials that are fitted: half of them the best, the others the
            latest.
    """

    layers: Annotated[int, Ge(1), Le(5)] = 3
    units: Annotated[int, Ge(2), Le(500)] = 50
    decay: Annotated[float, Gt(0), Le(100)] = 1.0
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000

    libraries = Dngo.libraries

    def make(self, problem: SearchProblem) -> Strategy:
        surrogate = Dngo(
            self.layers,
            self.units,
            self.decay,
            self.depth,
            self.fitted_on,
        )
        return ModelBased(problem, self, surrogate)
