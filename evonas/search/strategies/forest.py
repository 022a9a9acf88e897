"""Bayesian optimization with a random forest as the surrogate.

The mean of the trees is the prediction. The disagreement of the trees is its uncertainty.
`model_based.py` has the search itself.

Paper: Hutter et al., 2011: Sequential model-based optimization for general algorithm configuration
(SMAC). SMAC also tries random configurations in between, and races candidates against the incumbent
over several problem instances. Here is neither, and the forest sees counts of subtrees, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from evonas.search.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import Forest


@dataclass(frozen=True)
class ForestSettings(ModelBasedSettings):
    """The section `strategy.forest` of a config.

    Expected improvement under a random forest.

    Attributes:
        initial: number of random trials at the beginning.
        candidates: number of genomes that are compared for each proposal. A sixth is drawn at
            random, and a sixth comes from the best trials by mutation. The rest comes from the most
            promising of these.
        parents: number of the best trials, and of the most promising candidates, that other
            candidates come from.
        mutation: how candidates are edited; `rate` has no effect here, because there is no
            crossover.
        trees: number of trees in the forest.
        share: part of the columns that each split chooses from.
        depth: depth of the subtrees of a genome that are counted.
        fitted_on: largest number of trials that are fitted: half of them the best, the others the
            latest.
    """

    trees: Annotated[int, Ge(2), Le(1000)] = 40
    share: Annotated[float, Gt(0), Le(1)] = 0.5
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000

    libraries = Forest.libraries

    def make(self, problem: SearchProblem) -> Strategy:
        surrogate = Forest(
            self.trees,
            self.share,
            self.depth,
            self.fitted_on,
        )
        return ModelBased(problem, self, surrogate)
