"""Random search: every proposal is a new point of the space, whatever the other trials gave.

Paper: Bergstra and Bengio, 2012: Random search for hyper-parameter optimization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas.genome import sample
from evonas.randomness import generator
from evonas.search.sampling import Design, Sampler, Uniform, misfits
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings, counters
from evonas.trial import Lineage, Proposal, Trial


@dataclass(frozen=True)
class RandomSettings(StrategySettings):
    """The section `strategy.random` of a config.

    Attributes:
        sampler: where in the unit cube the genomes lie: at independent uniform points, or more
            evenly.
    """

    sampler: Sampler = field(default_factory=Uniform)

    has_alternatives = True
    takes_several = True

    def make(self, problem: SearchProblem) -> Strategy:
        return RandomSearch(problem, self)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        return misfits(self.sampler, problem.space)


class RandomSearch(Strategy):
    """The baseline that every other strategy has to beat."""

    def __init__(self, problem: SearchProblem, settings: RandomSettings) -> None:
        super().__init__(problem, settings)
        self._design = Design(
            settings.sampler,
            problem.space,
            problem.trials,
            problem.seed,
        )
        self._asked = 0

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(count):
            proposals.append(self._propose(self._asked))
            self._asked += 1
        return proposals

    def alternatives(self, count: int) -> list[Proposal]:
        proposals = []
        for other in counters(count):
            proposals.append(self._propose(self._asked, *other))
        return proposals

    def _propose(self, number: int, *other: int) -> Proposal:
        """The proposal with this number, or one of its alternatives.

        Args:
            other: number of the alternative; empty for the proposal itself.
        """
        space = self.problem.space
        if other:
            # The sampler has one point for each proposal, so an alternative is a uniform draw.
            rng = generator(self.problem.seed, "sample", number, *other)
            genome = sample(space, rng)
        else:
            genome = self._design[number]
        return Proposal(genome, self.problem.fidelity, Lineage(("sample",)))

    def tell(self, trial: Trial) -> None:
        # Random search learns nothing.
        pass

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
