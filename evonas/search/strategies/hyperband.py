"""Hyperband: successive halving with all trade-offs between many trainings and long ones.

One bracket of successive halving has many short trainings at first and few long ones at the end.
Nobody knows beforehand how short a training may be. So Hyperband runs several brackets, from many
short trainings to few full ones. `halving.py` has the search itself.

Paper: Li et al., 2017: Hyperband. There, one bracket follows the other, and a training is counted
from its beginning. Here, the next bracket begins while a rung waits, and a promoted trial pays only
the epochs that it adds. Places are rounded as in the paper's table, not as in its pseudocode.
"""

from __future__ import annotations

from dataclasses import dataclass

from evonas.search.halving import Halving, HalvingSettings
from evonas.search.rungs import brackets
from evonas.search.strategy import SearchProblem, Strategy


@dataclass(frozen=True)
class HyperbandSettings(HalvingSettings):
    """The section `strategy.hyperband` of a config.

    All brackets, the one with the shortest trainings first; then all again with new genomes.
    """

    def make(self, problem: SearchProblem) -> Strategy:
        schedule = brackets(
            problem.fidelity.epochs,
            self.reduction_factor,
            self.min_epochs,
        )
        return Halving(problem, self, schedule)
