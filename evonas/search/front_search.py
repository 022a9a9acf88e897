"""What the strategies that search a front have in common: evolution's generations, with two parts of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Ge

from evonas.search.adaptation import Fixed
from evonas.search.crossover import Crossover, Uniform
from evonas.search.pareto import values_of
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategies.evolution import Evolution, EvolutionSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.variation import Mutation
from evonas.trial import Proposal, Trial


@dataclass(frozen=True)
class FrontSettings:
    """What such strategies have in common.

    Attributes:
        population: individuals that live, and children of a generation; at least 4.
        seeds: names of seed genomes that are put into the first generation; random ones fill it up.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited; its operators' weights stay as they are.
    """

    population: Annotated[int, Ge(4)] = 16
    seeds: tuple[str, ...] = ()
    crossover: Crossover = field(default_factory=Uniform)
    mutation: Mutation = field(default_factory=Mutation)

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        found = {"mutation.operators": self.mutation.operators_problem()}
        if not isinstance(self.mutation.adaptation, Fixed):
            found["mutation.adaptation"] = (
                "follows the gain in one objective, and there are several. Allowed: fixed."
            )
        if len(self.seeds) > self.population:
            found["seeds"] = (
                f"{len(self.seeds)} seed genomes do not fit into a population of {self.population}"
            )
        return {key: message for key, message in found.items() if message}


class FrontSearch(Strategy):
    """(mu + mu) evolution: as many children as there are parents, and who lives on is chosen from both.

    Args:
        selection: of parents.
        replacement: of survivors.
    """

    takes_several = True
    needs_several = True

    def __init__(
        self,
        problem: SearchProblem,
        settings: FrontSettings,
        selection: Selection,
        replacement: Replacement,
    ) -> None:
        super().__init__(problem, settings)
        self.settings: FrontSettings = settings
        parts = EvolutionSettings(
            settings.population,
            settings.seeds,
            selection,
            settings.crossover,
            settings.mutation,
            replacement,
        )
        self._evolution = Evolution(problem, parts)

    def ask(self, count: int) -> list[Proposal]:
        return self._evolution.ask(count)

    def tell(self, trial: Trial) -> None:
        self._evolution.tell(self._known(trial))

    def _known(self, trial: Trial) -> Trial:
        """The trial; one of which an objective is not known has failed."""
        return trial if values_of(trial, self.problem.objectives) else replace(trial, fitness=None)

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: the population, and those that may join it when their generation is complete."""
        return self._evolution.retained

    def state_dict(self) -> dict[str, Any]:
        return self._evolution.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._evolution.load_state_dict(
            state, {id: self._known(trial) for id, trial in trials.items()}
        )
