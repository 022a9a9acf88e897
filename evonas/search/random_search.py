"""Random search: every proposal is an independent draw from the prior (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.genome import sample
from evonas.randomness import generator
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Proposal, Trial


@dataclass(frozen=True)
class RandomSettings:
    """Nothing to set: the sampler is the uniform distribution over the unit cube."""


class RandomSearch(Strategy):
    """The baseline that every other strategy has to beat."""

    Settings = RandomSettings

    def __init__(self, problem: SearchProblem, settings: RandomSettings) -> None:
        super().__init__(problem, settings)
        self._asked = 0

    def ask(self, count: int) -> list[Proposal]:
        numbers = range(self._asked, self._asked + count)
        self._asked += count
        return [self._propose(number) for number in numbers]

    def _propose(self, number: int) -> Proposal:
        genome = sample(self.problem.space, generator(self.problem.seed, "sample", number))
        return Proposal(genome, self.problem.fidelity, Lineage("sample"))

    def tell(self, trial: Trial) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
