"""Evolution, with a guide or without one: which of the two a config means, and with which settings.

With a guide, a surrogate chooses among many children of all trials (`guided.py`). Without one,
there are generations of selection and replacement (`generational.py`). Each of the two has settings
that the other one lacks.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

from annotated_types import Ge

from evonas.search.crossover import Crossover
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategies.generational import GenerationalSettings
from evonas.search.strategies.guided import GuidedSettings
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate import GUIDES, Guide, NoGuide, Surrogate
from evonas.search.variation import Mutation
from evonas.trial import Objective
from evonas.words import listed

WITH_A_GUIDE = ("initial", "children")
WITHOUT_A_GUIDE = ("population", "selection", "replacement")
WITH_BOTH = ("crossover", "mutation", "founders")


@dataclass(frozen=True)
class EvolutionSettings(StrategySettings):
    """The section `strategy.evolution` of a config.

    A setting that is null has the default of the search that is meant. If it belongs to the other
    search, it stays null.

    Attributes:
        guide: surrogate that chooses among the children, or `none`. If it is null, it is `none`
            beside `population`, `selection` or `replacement`, and otherwise `gaussian_process`.
        initial: number of founders; those that are not named are random. Only with a guide.
        children: number of children that are bred for each trial. Each of two rounds of further
            edits adds half as many. Only with a guide.
        population: number of individuals in the first generation, and of those that live on after
            each generation. Only without a guide.
        selection: how parents are chosen. Only without a guide.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited.
        replacement: how the next population is chosen. Only without a guide.
    """

    guide: Guide | None = None
    initial: Annotated[int, Ge(2)] | None = None
    children: Annotated[int, Ge(2)] | None = None
    population: Annotated[int, Ge(2)] | None = None
    selection: Selection | None = None
    crossover: Crossover | None = None
    mutation: Mutation | None = None
    replacement: Replacement | None = None

    places_founders = True

    def __post_init__(self) -> None:
        if self.guide is None:
            is_scheme = any(getattr(self, key) is not None for key in WITHOUT_A_GUIDE)
            meant: Guide = NoGuide() if is_scheme else GuidedSettings().surrogate
            object.__setattr__(self, "guide", meant)
        # A record has every default, and keeps its meaning if another evonas has other ones.
        search = self.search
        keys = {item.name for item in fields(self)}
        for item in fields(search):
            if item.name in keys:
                object.__setattr__(self, item.name, getattr(search, item.name))
        # Shadows the class's: only generations can say what else they could propose.
        object.__setattr__(self, "has_alternatives", search.has_alternatives)

    @property
    def is_guided(self) -> bool:
        """Whether a surrogate chooses among the children."""
        return isinstance(self.guide, Surrogate)

    @property
    def search(self) -> GuidedSettings | GenerationalSettings:
        """The settings of the search that is meant, without those of the other one."""
        if isinstance(self.guide, Surrogate):
            return GuidedSettings(surrogate=self.guide, **self._given(*WITH_A_GUIDE, *WITH_BOTH))
        return GenerationalSettings(**self._given(*WITHOUT_A_GUIDE, *WITH_BOTH))

    def _given(self, *keys: str) -> dict[str, Any]:
        """Those of these settings that are not null."""
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}

    def make(self, problem: SearchProblem) -> Strategy:
        return self.search.make(problem)

    def all_libraries(self) -> set[str]:
        return self.search.all_libraries()

    def first_generation(self) -> int | None:
        return self.search.first_generation()

    def problems(self) -> dict[str, str]:
        return {**self.search.problems(), **self._misplaced()}

    def _misplaced(self) -> dict[str, str]:
        """The settings of the search that is not meant, by key, and why they cannot stand here."""
        own: tuple[str, ...] = WITHOUT_A_GUIDE
        others: tuple[str, ...] = WITH_A_GUIDE
        rule = "belongs to evolution with a guide, and this one has none"
        if self.is_guided:
            own, others = others, own
            names = [word for word, kind in GUIDES.items() if type(self.guide) is kind]
            name = listed(names) or "a surrogate"
            rule = f"belongs to evolution without a guide, and this one is guided by {name}"
        allowed = listed([*own, *WITH_BOTH])
        instead = "Leave it out, or write `guide: none`." if self.is_guided else "Leave it out."
        message = f"{rule}. {instead} Allowed beside this guide: {allowed}."
        return dict.fromkeys(self._given(*others), message)

    def objective_problems(self, objective: Objective) -> dict[str, str]:
        return self.search.objective_problems(objective)
