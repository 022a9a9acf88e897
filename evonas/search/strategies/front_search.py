"""The common part of the strategies that search a front.

They are evolution in generations, with their own way to choose parents and survivors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Ge

from evonas.search.adaptation import Fixed
from evonas.search.crossover import Crossover, Uniform
from evonas.search.pareto import values_of
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategies.wrapping import Wrapping
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.search.variation import Mutation
from evonas.trial import Proposal, Trial


@dataclass(frozen=True)
class FrontSettings(StrategySettings):
    """The settings that these strategies have in common.

    Attributes:
        population: number of individuals that live, and of children in a generation; at least 4.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited; the weights of its operators stay fixed.
    """

    population: Annotated[int, Ge(4)] = 16
    crossover: Crossover = field(default_factory=Uniform)
    mutation: Mutation = field(default_factory=Mutation)

    places_founders = True
    takes_several = True
    needs_several = True
    libraries = ("deap",)

    def first_generation(self) -> int | None:
        return self.population

    def problems(self) -> dict[str, str]:
        found = {"mutation.operators": self.mutation.operators_problem()}
        # An adaptation learns from gains, and a gain is a difference of one objective.
        if not isinstance(self.mutation.adaptation, Fixed):
            found["mutation.adaptation"] = (
                "follows the gain in one objective, and there are several. Allowed: fixed."
            )
        founders = len(self.founder_names)
        if founders > self.population:
            found["founders"] = (
                f"{founders} founders do not fit into a population of {self.population}"
            )
        return {key: message for key, message in found.items() if message}


class FrontSearch(Wrapping):
    """(mu + mu) evolution: a generation has as many children as there are parents.

    The survivors are chosen from parents and children together.

    Args:
        selection: how parents are chosen.
        replacement: how survivors are chosen.
    """

    def __init__(
        self,
        problem: SearchProblem,
        settings: FrontSettings,
        selection: Selection,
        replacement: Replacement,
    ) -> None:
        parts = GenerationalSettings(
            settings.population,
            selection,
            settings.crossover,
            settings.mutation,
            replacement,
            founders=settings.founders,
        )
        # A wrapped `Generational` does the work. Its settings are the user's and the two parts that
        # the user cannot choose.
        super().__init__(problem, settings, Generational(problem, parts))

    def ask(self, count: int) -> list[Proposal]:
        return self._inner.ask(count)

    def tell(self, trial: Trial) -> None:
        self._inner.tell(self._known(trial))

    def _known(self, trial: Trial) -> Trial:
        """The trial, without a fitness if one of its objectives is not known.

        The fitness covers the first objective only. A point of the front needs all of them.
        """
        if values_of(trial, self.problem.objectives):
            return trial
        return replace(trial, fitness=None)

    def state_dict(self) -> dict[str, Any]:
        return self._inner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        known = {}
        for id, trial in trials.items():
            known[id] = self._known(trial)
        self._inner.load_state_dict(state, known)
