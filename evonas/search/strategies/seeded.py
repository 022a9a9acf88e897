"""Seeding: another strategy begins with genomes that are known to be good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Ge

from evonas.search.named import StrategyConfig
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Objective, Proposal, Trial


@dataclass(frozen=True)
class SeededSettings:
    """The section `strategy.seeded` of a config.

    Attributes:
        inner: the strategy that goes on from them.
        genomes: seed genomes, by their shipped names or paths.
        run: the folder of an earlier run, relative to the config's file, whose best genomes follow; null for none. They
            are read when the run is created, and kept in its record.
        count: genomes of that run.
    """

    inner: StrategyConfig = field(
        default_factory=lambda: StrategyConfig("evolution", EvolutionSettings())
    )
    genomes: tuple[str, ...] = ()
    run: str | None = None
    count: Annotated[int, Ge(1)] = 10

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        if self.genomes or self.run is not None:
            return {}
        return {"genomes": "names no seed, and there is no run either; one of the two is needed"}

    def objective_problems(self, objective: Objective) -> dict[str, str]:
        """What of these settings cannot work with this objective, by key; empty where everything can."""
        return self.inner.objective_problems(objective, "inner")

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return self.inner.misfits(problem, "inner")

    def names(self) -> tuple[str, ...]:
        """The seeds' names in order; an earlier run may have fewer."""
        earlier = (
            ()
            if self.run is None
            else (earlier_name(self.run, place) for place in range(1, self.count + 1))
        )
        return (*self.genomes, *earlier)


def earlier_name(run: str, place: int) -> str:
    """What the genome at this place of an earlier run, from 1, is called among the seeds."""
    return f"{run}#{place}"


class Seeded(Strategy):
    """The first proposals of the inner strategy get the seeds' genomes in the place of their own.

    So it is told of everything that it asked for, and a seed is what a random genome would have been: a founder, a
    start, a trial of the initial design. After each such ask the inner strategy is made anew from its state, with what
    was really asked.
    """

    Settings = SeededSettings
    takes_several = True

    def __init__(self, problem: SearchProblem, settings: SeededSettings) -> None:
        super().__init__(problem, settings)
        self.settings: SeededSettings = settings
        self._seeds = [
            (name, problem.seeds[name]) for name in settings.names() if name in problem.seeds
        ]
        self._inner = settings.inner.make(problem)
        self.sets_epochs, self.continues_trials = (
            self._inner.sets_epochs,
            self._inner.continues_trials,
        )
        self._asked = 0
        self._placed = 0  # seeds that were proposed
        self._trials: dict[int, Trial] = {}  # as long as there are seeds to come

    def ask(self, count: int) -> list[Proposal]:
        found: list[Proposal] = []
        while len(found) < count and (asked := self._inner.ask(1)):
            found.append(self._seed(asked[0]) if self._placed < len(self._seeds) else asked[0])
            self._asked += 1
        return found

    def _seed(self, asked: Proposal) -> Proposal:
        """The proposal with the next seed's genome; what continues a trial stays as it is."""
        proposal = asked
        if asked.resume_from is None:
            name, genome = self._seeds[self._placed]
            proposal = replace(
                asked, genome=genome, lineage=Lineage(f"seed {name}", (), asked.lineage.generation)
            )
            self._placed += 1
        self._trials[self._asked] = Trial(self._asked, proposal)
        state = self._inner.state_dict()
        self._inner = self.settings.inner.make(self.problem)
        self._inner.load_state_dict(state, self._trials)
        return proposal

    def tell(self, trial: Trial) -> None:
        if self._placed < len(self._seeds):
            self._trials[trial.id] = trial
        self._inner.tell(trial)

    @property
    def is_done(self) -> bool:
        return self._inner.is_done

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: those of the inner strategy."""
        return self._inner.retained

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked, "placed": self._placed, "inner": self._inner.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked, self._placed = state["asked"], state["placed"]
        self._trials = dict(trials) if self._placed < len(self._seeds) else {}
        self._inner.load_state_dict(state["inner"], trials)
