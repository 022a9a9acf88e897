"""Aging evolution: the oldest individual leaves the population, not the worst.

The first trials are random: the founders. After that, a few individuals are drawn from the
population, and the best of them becomes a parent. Its child is a mutated copy. A child that is
trained enters the population as its youngest member, and the oldest member leaves. So a line of
individuals lives on only if its children are good too.

Paper: Real et al., 2019: Regularized evolution for image classifier architecture search. There,
every child is trained, also one that equals an earlier network, and every child pushes out the
oldest. Here, an identical child is a duplicate: it has the earlier outcome without a training. It
does not enter while its genome lives, and a failed child never does; then nobody leaves. Another
training would have the same seed, and so the same result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from deap import tools

from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.individual import Individual, best_first, lent_random
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings, counters
from evonas.search.variation import Mutation, different, edited
from evonas.trial import Lineage, Proposal, Trial


@dataclass(frozen=True)
class AgingSettings(StrategySettings):
    """The section `strategy.aging` of a config.

    Attributes:
        population: number of individuals that live, and of random trials at the beginning. The
            paper has 100, for 20,000 trials.
        sample: number of individuals that are drawn with replacement; the best of them becomes the
            parent. The paper has a quarter of the population. With 1, the parent is random.
        mutation: how the copy of the parent is edited; `rate` has no effect here, because there is
            no crossover.
    """

    population: Annotated[int, Ge(2)] = 16
    sample: Annotated[int, Ge(1)] = 4
    mutation: Mutation = field(default_factory=lambda: Mutation(edits=1))

    places_founders = True
    has_alternatives = True
    libraries = ("deap",)

    def make(self, problem: SearchProblem) -> Strategy:
        return Aging(problem, self)

    def first_generation(self) -> int | None:
        return self.population

    def problems(self) -> dict[str, str]:
        found = {"mutation.operators": self.mutation.operators_problem()}
        if self.sample > self.population:
            found["sample"] = (
                f"must be at most the population ({self.population}). Received: {self.sample}"
            )
        founders = len(self.founder_names)
        if founders > self.population:
            found["founders"] = (
                f"{founders} founders do not fit into a population of {self.population}"
            )
        return {key: message for key, message in found.items() if message}


class Aging(Strategy):
    """A queue of individuals: children enter at one end, and the oldest leave at the other.

    The population has children as soon as all founders are told and one of them succeeded. From
    then on nobody waits: a child is made of the individuals that live when it is asked.
    """

    def __init__(self, problem: SearchProblem, settings: AgingSettings) -> None:
        super().__init__(problem, settings)
        self.settings: AgingSettings = settings
        self._asked = 0
        self._told = 0
        # Trials with a smaller number than this are founders.
        self._founders = settings.population
        # The oldest first.
        self._population: list[Individual] = []
        self._credit = settings.mutation.credit()

    def ask(self, count: int) -> list[Proposal]:
        end = self._asked + count
        # A child needs a living parent. Until there is one, only founders may be asked.
        if not self._may_breed:
            end = min(end, self._founders)
        proposals = []
        while self._asked < end:
            proposals.append(self._propose(self._asked))
            self._asked += 1
        return proposals

    def alternatives(self, count: int) -> list[Proposal]:
        number = self._asked
        must_wait = number >= self._founders and not self._may_breed
        if must_wait:
            return []
        return [self._propose(number, *other) for other in counters(count)]

    @property
    def _may_breed(self) -> bool:
        """Whether all founders are told and at least one of them succeeded."""
        if self._told < self._founders:
            return False
        return bool(self._population)

    def _propose(self, number: int, *other: int) -> Proposal:
        """The proposal with this number, or one of its alternatives."""
        if number < self._founders:
            return self._found(number, *other)
        return self._breed(number, *other)

    def _found(self, number: int, *other: int) -> Proposal:
        """A founder: one that is named, or a random genome."""
        seeds = self.settings.founder_names
        if number < len(seeds):
            name = seeds[number]
            genome = self.problem.seeds[name]
            return self._proposal(number, genome, (f"seed {name}",))
        rng = generator(self.problem.seed, "sample", number, *other)
        genome = sample(self.problem.space, rng)
        return self._proposal(number, genome, ("sample",))

    def _breed(self, number: int, *other: int) -> Proposal:
        """A mutated copy of the best of a few individuals; it differs from its parent."""
        space = self.problem.space
        mutation = self.settings.mutation
        rates = self._credit.rates
        rng = generator(self.problem.seed, "child", number, *other)
        parent = self._parent(rng)
        words: list[str] = []
        edits = int(rng.integers(1, mutation.edits + 1))
        child = edited(space, parent.genome, edits, words, rng, rates)
        # Two edits may cancel each other, so the child is compared with its parent.
        parents = [parent.genome]
        child = different(space, child, parents, words, rng, rates)
        operators = tuple(words) or ("copy",)
        return self._proposal(number, child, operators, (parent.id,))

    def _parent(self, rng: np.random.Generator) -> Individual:
        """The best of a few individuals that are drawn with replacement."""
        count = self.settings.sample
        # DEAP draws from Python's global `random`.
        with lent_random(rng):
            drawn = tools.selRandom(self._population, count)
        ranked = best_first(drawn)
        return ranked[0]

    def _proposal(
        self,
        number: int,
        genome: Genome,
        operators: tuple[str, ...],
        parents: tuple[int, ...] = (),
    ) -> Proposal:
        # There are no generations. One is counted for every `population` proposals.
        generation = number // self.settings.population
        lineage = Lineage(operators, parents, generation)
        return Proposal(
            genome,
            self.problem.fidelity,
            lineage,
        )

    def tell(self, trial: Trial) -> None:
        size = self.settings.population
        self._told += 1
        self._credit.tell(trial)
        living = {individual.genome.digest for individual in self._population}
        # A genome that lives does not enter again, or it would become young without any merit.
        is_new = trial.genome.digest not in living
        if is_new and trial.fitness is not None:
            child = Individual(trial)
            self._population.append(child)
            self._population = self._population[-size:]
        # All founders failed: ask for another lot of them.
        if self._told == self._founders and not self._population:
            self._founders += size

    @property
    def retained(self) -> Collection[int]:
        return [individual.id for individual in self._population]

    def state_dict(self) -> dict[str, Any]:
        population = [individual.id for individual in self._population]
        return {
            "asked": self._asked,
            "told": self._told,
            "founders": self._founders,
            "population": population,
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
        self._told = state["told"]
        self._founders = state["founders"]
        self._population = []
        for id in state["population"]:
            individual = Individual(trials[id])
            self._population.append(individual)
        self._credit.restore(trials)
