"""Random search: every proposal is a point of the prior, whatever became of the others (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas.genome import sample
from evonas.randomness import generator
from evonas.search.sampling import Design, Sampler, Uniform, misfits
from evonas.search.strategy import SearchProblem, Strategy, counters
from evonas.trial import Lineage, Proposal, Trial


@dataclass(frozen=True)
class RandomSettings:
    """The section `strategy.random` of a config.

    Attributes:
        sampler: where in the unit cube the genomes lie: at independent uniform points, or more evenly.
    """

    sampler: Sampler = field(default_factory=Uniform)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return misfits(self.sampler, problem.space)


class RandomSearch(Strategy):
    """The baseline that every other strategy has to beat."""

    Settings = RandomSettings
    has_alternatives = True
    takes_several = True

    def __init__(self, problem: SearchProblem, settings: RandomSettings) -> None:
        super().__init__(problem, settings)
        self._design = Design(settings.sampler, problem.space, problem.trials, problem.seed)
        self._asked = 0

    def ask(self, count: int) -> list[Proposal]:
        numbers = range(self._asked, self._asked + count)
        self._asked += count
        return [self._propose(number) for number in numbers]

    def alternatives(self, count: int) -> list[Proposal]:
        return [self._propose(self._asked, *others) for others in counters(count)]

    def _propose(self, number: int, *other: int) -> Proposal:
        """The next point of the sampler; its alternatives are anywhere."""
        genome = self._design[number]
        if other:
            genome = sample(
                self.problem.space, generator(self.problem.seed, "sample", number, *other)
            )
        return Proposal(genome, self.problem.fidelity, Lineage("sample"))

    def tell(self, trial: Trial) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
