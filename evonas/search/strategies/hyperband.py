"""Hyperband: successive halving with every trade between many trainings and long ones (Li et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.search.halving import Halving, HalvingSettings
from evonas.search.rungs import brackets
from evonas.search.strategy import SearchProblem


@dataclass(frozen=True)
class HyperbandSettings(HalvingSettings):
    """The section `strategy.hyperband` of a config."""


class Hyperband(Halving):
    """All brackets, the one with the shortest trainings first, and then all again with new genomes."""

    Settings = HyperbandSettings

    def __init__(self, problem: SearchProblem, settings: HyperbandSettings) -> None:
        super().__init__(
            problem,
            settings,
            brackets(problem.fidelity.epochs, settings.reduction_factor, settings.min_epochs),
        )
