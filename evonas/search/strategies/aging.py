"""Aging evolution: the oldest dies, not the worst (Real et al., 2019: Regularized evolution for image classifier
architecture search)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge
from deap import tools

from evonas.genome import sample
from evonas.randomness import generator
from evonas.search.individual import Individual, best_first, lent_random
from evonas.search.strategy import SearchProblem, Strategy, counters
from evonas.search.variation import Mutation, different, edited
from evonas.trial import Lineage, Proposal, Trial


@dataclass(frozen=True)
class AgingSettings:
    """The section `strategy.aging` of a config.

    Attributes:
        population: individuals that live; the first so many trials are random. The paper has 100, for 20,000 trials.
        sample: individuals drawn with replacement, of which the best becomes a parent; the paper has a quarter of the
            population. 1 is chance.
        seeds: names of seed genomes that are put among the first; random ones fill up.
        mutation: how the one parent is edited; its `rate` is of no effect here, for there is no crossover.
    """

    population: Annotated[int, Ge(2)] = 16
    sample: Annotated[int, Ge(1)] = 4
    seeds: tuple[str, ...] = ()
    mutation: Mutation = field(default_factory=lambda: Mutation(edits=1))

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        found = {"mutation.operators": self.mutation.operators_problem()}
        if self.sample > self.population:
            found["sample"] = (
                f"must be at most the population ({self.population}). Received: {self.sample}"
            )
        if len(self.seeds) > self.population:
            found["seeds"] = (
                f"{len(self.seeds)} seed genomes do not fit into a population of {self.population}"
            )
        return {key: message for key, message in found.items() if message}


class Aging(Strategy):
    """A queue: children enter at the young end when they are told, the oldest leave when there are too many.

    Children are born once a first lot of `population` founders is told and one of them succeeded; from then on at any
    time, of whoever lives. A genome lives once: a child that equals one that lives does not enter, so that nobody grows
    young by being found again.
    """

    Settings = AgingSettings
    has_alternatives = True

    def __init__(self, problem: SearchProblem, settings: AgingSettings) -> None:
        super().__init__(problem, settings)
        self.settings: AgingSettings = settings
        self._asked = 0
        self._told = 0
        self._founders = settings.population  # trials up to here are random
        self._population: list[Individual] = []  # the oldest first
        self._credit = settings.mutation.credit()

    @property
    def _may_breed(self) -> bool:
        return self._told >= self._founders and bool(self._population)

    def ask(self, count: int) -> list[Proposal]:
        end = self._asked + count if self._may_breed else min(self._asked + count, self._founders)
        numbers = range(self._asked, end)
        self._asked = max(self._asked, end)
        return [
            self._breed(number) if number >= self._founders else self._found(number)
            for number in numbers
        ]

    def alternatives(self, count: int) -> list[Proposal]:
        if self._asked >= self._founders:
            return (
                [self._breed(self._asked, *other) for other in counters(count)]
                if self._may_breed
                else []
            )
        return [self._found(self._asked, *other) for other in counters(count)]

    def _found(self, number: int, *other: int) -> Proposal:
        if number < len(self.settings.seeds):
            name = self.settings.seeds[number]
            return self._propose(number, self.problem.seeds[name], f"seed {name}")
        return self._propose(
            number,
            sample(self.problem.space, generator(self.problem.seed, "sample", number, *other)),
            "sample",
        )

    def _breed(self, number: int, *other: int) -> Proposal:
        """A mutated copy of the best of a sample; it differs from its parent."""
        rng = generator(self.problem.seed, "child", number, *other)
        with lent_random(rng):
            drawn = tools.selRandom(self._population, self.settings.sample)
        parent = best_first(drawn)[0]
        words: list[str] = []
        edits = int(rng.integers(1, self.settings.mutation.edits + 1))
        child = edited(self.problem.space, parent.genome, edits, words, rng, self._credit.rates)
        child = different(
            self.problem.space, child, [parent.genome], words, rng, self._credit.rates
        )
        return self._propose(number, child, "+".join(words) or "copy", (parent.id,))

    def _propose(
        self, number: int, genome: Any, operator: str, parents: tuple[int, ...] = ()
    ) -> Proposal:
        """There are no generations: as many trials as live are counted as one."""
        lineage = Lineage(operator, parents, number // self.settings.population)
        return Proposal(genome, self.problem.fidelity, lineage)

    def tell(self, trial: Trial) -> None:
        self._told += 1
        self._credit.tell(trial)
        living = {individual.genome.digest for individual in self._population}
        if trial.fitness is not None and trial.genome.digest not in living:
            self._population = [*self._population, Individual(trial)][-self.settings.population :]
        if self._told == self._founders and not self._population:
            self._founders += self.settings.population  # all have failed: another lot

    @property
    def retained(self) -> Collection[int]:
        return [individual.id for individual in self._population]

    def state_dict(self) -> dict[str, Any]:
        return {
            "asked": self._asked,
            "told": self._told,
            "founders": self._founders,
            "population": [individual.id for individual in self._population],
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked, self._told, self._founders = state["asked"], state["told"], state["founders"]
        self._population = [Individual(trials[id]) for id in state["population"]]
        self._credit.restore(trials)
