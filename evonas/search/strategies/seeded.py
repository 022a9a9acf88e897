"""Seeding: another strategy begins with genomes that are known to be good.

The inner strategy proposes as always. Its first proposals get the genomes of the seeds, in the
place of their own. After that, the inner strategy is on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from annotated_types import Ge

from evonas.genome import Genome
from evonas.search.strategies.wrapping import Wrapping, WrappingSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Proposal, Trial


@dataclass(frozen=True)
class SeededSettings(WrappingSettings):
    """The section `strategy.seeded` of a config.

    Attributes:
        inner: strategy that continues from the seeds.
        genomes: seed genomes, by their shipped names or paths.
        run: folder of an earlier run, relative to the config's file; its best genomes follow the
            others. Null for none. They are read when the run is created, and kept in its record.
        count: number of genomes of that run.
    """

    genomes: tuple[str, ...] = ()
    run: str | None = None
    count: Annotated[int, Ge(1)] = 10

    # Its founders have a key of their own, because they may come from a run.
    takes_founders = False
    takes_several = True

    def make(self, problem: SearchProblem) -> Strategy:
        return Seeded(problem, self)

    def problems(self) -> dict[str, str]:
        if self.genomes or self.run is not None:
            return {}
        return {"genomes": "names no seed, and there is no run either; one of the two is needed"}

    def names(self) -> tuple[str, ...]:
        """The names of the seeds in order; an earlier run may have fewer genomes than `count`."""
        found = list(self.genomes)
        if self.run is not None:
            for place in range(1, self.count + 1):
                found.append(earlier_name(self.run, place))
        return tuple(found)


def earlier_name(run: str, place: int) -> str:
    """The name, among the seeds, of the genome at this place of an earlier run.

    Args:
        place: place from 1; the best genome has 1.
    """
    return f"{run}#{place}"


class Seeded(Wrapping):
    """The first proposals of the inner strategy get the seeds' genomes.

    A seed is what a random genome would have been for the inner strategy: a founder, a start, a
    trial of the initial design.
    """

    def __init__(self, problem: SearchProblem, settings: SeededSettings) -> None:
        super().__init__(problem, settings, settings.inner.make(problem))
        self.settings: SeededSettings = settings
        # Names and genomes of the seeds, in order.
        self._seeds: list[tuple[str, Genome]] = []
        for name in settings.names():
            # An earlier run may have fewer genomes than names were made for it.
            if name in problem.seeds:
                genome = problem.seeds[name]
                self._seeds.append((name, genome))
        self._asked = 0
        # Number of seeds that were proposed.
        self._placed = 0
        # All trials, as long as seeds are left: each placed seed needs them to restore the inner
        # strategy.
        self._trials: dict[int, Trial] = {}

    @property
    def _has_seeds(self) -> bool:
        """Whether seeds are left to propose."""
        seeds = len(self._seeds)
        return self._placed < seeds

    def ask(self, count: int) -> list[Proposal]:
        found: list[Proposal] = []
        while len(found) < count:
            # One at a time: a placed seed changes the state that the next proposal comes from.
            asked = self._inner.ask(1)
            if not asked:
                break
            proposal = asked[0]
            if self._has_seeds:
                proposal = self._seed(proposal)
            found.append(proposal)
            self._asked += 1
        return found

    def _seed(self, asked: Proposal) -> Proposal:
        """The proposal with the genome of the next seed."""
        proposal = asked
        # A proposal that continues a trial must keep the genome of that trial.
        if asked.resume_from is None:
            name, genome = self._seeds[self._placed]
            generation = asked.lineage.generation
            lineage = Lineage((f"seed {name}",), (), generation)
            proposal = replace(asked, genome=genome, lineage=lineage, expected=None)
            self._placed += 1
        number = self._asked
        self._trials[number] = Trial(number, proposal)
        # The inner strategy believes that its own genome was asked. So it is made again from its
        # state, with the trials that were really asked.
        state = self._inner.state_dict()
        self._inner = self.settings.inner.make(self.problem)
        self._inner.load_state_dict(state, self._trials)
        return proposal

    def tell(self, trial: Trial) -> None:
        if self._has_seeds:
            self._trials[trial.id] = trial
        super().tell(trial)

    def state_dict(self) -> dict[str, Any]:
        return {
            "asked": self._asked,
            "placed": self._placed,
            "inner": self._inner.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
        self._placed = state["placed"]
        self._trials = {}
        if self._has_seeds:
            self._trials.update(trials)
        self._inner.load_state_dict(state["inner"], trials)
