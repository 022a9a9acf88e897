"""Successive halving: many short trainings, of which the best continue.

All genomes of a rung are trained to the same epoch. Then the best 1 / reduction_factor of them are
trained further, and so on until the full training. `halving.py` has the search itself.

Paper: Jamieson and Talwalkar, 2016: Non-stochastic best arm identification and hyperparameter
optimization. There, a given budget is divided equally among the rungs, and half of the trials go
on. Here, the lengths of the rungs are given, and so is the part that goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from evonas.search.halving import Halving, HalvingSettings
from evonas.search.rungs import bracket, lengths
from evonas.search.strategy import SearchProblem, Strategy


@dataclass(frozen=True)
class SuccessiveHalvingSettings(HalvingSettings):
    """The section `strategy.successive_halving` of a config.

    One bracket from short trainings to the full one, then the same again with new genomes.

    Attributes:
        genomes: number of genomes on the first rung; null for the number that leaves one full
            training if the first rung has the shortest one. With fewer genomes there are fewer
            rungs, and the last one is still the full training.
    """

    genomes: Annotated[int, Ge(2)] | None = None

    def make(self, problem: SearchProblem) -> Strategy:
        epochs = problem.fidelity.epochs
        factor = self.reduction_factor
        # Number of promotions from the shortest training to the full one.
        most = len(lengths(epochs, factor, self.min_epochs)) - 1
        genomes = self.genomes or factor**most
        promotions = most
        # Each promotion divides the genomes by the factor, and the last rung must not be empty.
        while factor**promotions > genomes:
            promotions -= 1
        only = bracket(epochs, factor, self.min_epochs, promotions, genomes)
        return Halving(problem, self, [only])
