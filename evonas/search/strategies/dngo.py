"""Bayesian optimization with a network's last layer as the basis of a linear regression (Snoek et al., 2015: DNGO)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from evonas.search.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import Dngo


@dataclass(frozen=True)
class DngoSettings(ModelBasedSettings):
    """The section `strategy.dngo` of a config.

    Attributes:
        initial: random trials at the beginning.
        candidates: genomes that are compared for each proposal. A sixth is drawn at random, a sixth stems from the best
            trials by mutation, and the rest from the most promising of these.
        parents: how many of the best trials, and of the most promising candidates, others stem from.
        mutation: how candidates are edited; `rate` is of no effect here, for there is no crossover.
        layers: hidden ones of the network.
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


class DngoSearch(ModelBased):
    """Expected improvement under a Bayesian linear regression on what a network has learned."""

    Settings = DngoSettings

    def __init__(self, problem: SearchProblem, settings: DngoSettings) -> None:
        surrogate = Dngo(
            settings.layers, settings.units, settings.decay, settings.depth, settings.fitted_on
        )
        super().__init__(problem, settings, surrogate)
