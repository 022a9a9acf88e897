"""Bayesian optimization with a Gaussian process on architectures (Ru et al., 2021: NAS-BOWL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from evonas.search.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import GaussianProcess


@dataclass(frozen=True)
class GaussianProcessSettings(ModelBasedSettings):
    """The section `strategy.gaussian_process` of a config.

    Attributes:
        initial: random trials at the beginning.
        candidates: genomes that are compared for each proposal. A sixth is drawn at random, a sixth stems from the best
            trials by mutation, and the rest from the most promising of these.
        parents: how many of the best trials, and of the most promising candidates, others stem from.
        mutation: how candidates are edited; `rate` is of no effect here, for there is no crossover.
        depth: of the subtrees that the Weisfeiler-Lehman kernel counts.
        fitted_on: trials at most: half of them the best, the others the latest. An ask costs its third power.
    """

    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10), Le(2000)] = 300


class GaussianProcessSearch(ModelBased):
    """Expected improvement under a Gaussian process."""

    Settings = GaussianProcessSettings

    def __init__(self, problem: SearchProblem, settings: GaussianProcessSettings) -> None:
        super().__init__(problem, settings, GaussianProcess(settings.depth, settings.fitted_on))
