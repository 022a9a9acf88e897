"""Successive halving: many short trainings, of which the best go on (Jamieson and Talwalkar, 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from evonas.search.halving import Halving, HalvingSettings
from evonas.search.rungs import bracket, lengths
from evonas.search.strategy import SearchProblem


@dataclass(frozen=True)
class SuccessiveHalvingSettings(HalvingSettings):
    """The section `strategy.successive_halving` of a config.

    Attributes:
        genomes: on the first rung; null for as many as leave one that is trained fully from the shortest training on.
            With fewer there are fewer rungs, so that the last one is the full training still.
    """

    genomes: Annotated[int, Ge(2)] | None = None


class SuccessiveHalving(Halving):
    """One bracket, from the shortest training to the full one, and then the same with new genomes."""

    Settings = SuccessiveHalvingSettings

    def __init__(self, problem: SearchProblem, settings: SuccessiveHalvingSettings) -> None:
        epochs, factor, least = (
            problem.fidelity.epochs,
            settings.reduction_factor,
            settings.min_epochs,
        )
        most = len(lengths(epochs, factor, least)) - 1
        genomes = settings.genomes or factor**most
        promotions = max(s for s in range(most + 1) if factor**s <= genomes)
        super().__init__(problem, settings, [bracket(epochs, factor, least, promotions, genomes)])
