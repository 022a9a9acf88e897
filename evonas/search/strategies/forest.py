"""Bayesian optimization with a random forest (Hutter et al., 2011: SMAC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from evonas.search.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import Forest


@dataclass(frozen=True)
class ForestSettings(ModelBasedSettings):
    """The section `strategy.forest` of a config.

    Attributes:
        initial: random trials at the beginning.
        candidates: genomes that are compared for each proposal. A sixth is drawn at random, a sixth stems from the best
            trials by mutation, and the rest from the most promising of these.
        parents: how many of the best trials, and of the most promising candidates, others stem from.
        mutation: how candidates are edited; `rate` is of no effect here, for there is no crossover.
        trees: in the forest.
        share: of the columns that each split chooses from.
        depth: of the subtrees that are counted.
        fitted_on: trials at most: half of them the best, the others the latest.
    """

    trees: Annotated[int, Ge(2), Le(1000)] = 40
    share: Annotated[float, Gt(0), Le(1)] = 0.5
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000


class ForestSearch(ModelBased):
    """Expected improvement under a random forest, whose doubt is the disagreement of its trees."""

    Settings = ForestSettings

    def __init__(self, problem: SearchProblem, settings: ForestSettings) -> None:
        surrogate = Forest(settings.trees, settings.share, settings.depth, settings.fitted_on)
        super().__init__(problem, settings, surrogate)
