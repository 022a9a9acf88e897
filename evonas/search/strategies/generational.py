"""Evolution without a guide: generations of selection, crossover, mutation and replacement.

Generation 0 is random, but for the founders that a config or a space names. After it, selection
chooses parents from the population. Two parents are mixed by crossover, and a child is edited by
mutation. When all trials of a generation are told, replacement chooses the next population from
parents and children. The four parts are settings; `variation.py` has the mutation.

Papers: Holland, 1975: Adaptation in natural and artificial systems; for networks, Real et al.,
2017: Large-scale evolution of image classifiers. Real et al. have no generations: of two random
individuals the worse dies and the better has a mutated child, which keeps the weights that still
fit. Here, weights are never inherited.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.genome import sample
from evonas.genome.inheritance import givers
from evonas.randomness import generator
from evonas.search.crossover import Crossover, Uniform
from evonas.search.individual import Individual
from evonas.search.replacement import Elitist, Replacement
from evonas.search.selection import Selection, Tournament
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings, counters
from evonas.search.variation import Mutation, different, edited
from evonas.trial import Lineage, Objective, Proposal, Trial

MATES = 8
"""Number of individuals that are drawn for a child of two parents, to find two different ones."""


@dataclass(frozen=True)
class GenerationalSettings(StrategySettings):
    """The settings of `evolution` without a guide; see `evolution.py`.

    Attributes:
        population: number of individuals in the first generation, and of those that live on after
            each generation; at least 2.
        selection: how parents are chosen.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited.
        replacement: how the next population is chosen.
    """

    population: Annotated[int, Ge(2)] = 16
    selection: Selection = field(default_factory=Tournament)
    crossover: Crossover = field(default_factory=Uniform)
    mutation: Mutation = field(default_factory=Mutation)
    replacement: Replacement = field(default_factory=Elitist)

    places_founders = True
    has_alternatives = True
    libraries = ("deap",)

    def make(self, problem: SearchProblem) -> Strategy:
        return Generational(problem, self)

    def first_generation(self) -> int | None:
        return self.population

    def problems(self) -> dict[str, str]:
        found = {
            "replacement": self.replacement.problem(self.population),
            "mutation.operators": self.mutation.operators_problem(),
        }
        founders = len(self.founder_names)
        if founders > self.population:
            found["founders"] = (
                f"{founders} founders do not fit into a population of {self.population}"
            )
        return {key: message for key, message in found.items() if message}

    def objective_problems(self, objective: Objective) -> dict[str, str]:
        wrong = self.selection.problem(objective)
        return {"selection": wrong} if wrong else {}


class Generational(Strategy):
    """Asks for one generation, waits until all of it is told, and asks for the next.

    Only successful trials enter the population. As long as it is empty, generations are random.

    With a steady replacement (`Replacement.is_steady`) there are no generations after the founders.
    Children are asked at any time. The population changes each time that `offspring` of them are
    told.
    """

    def __init__(self, problem: SearchProblem, settings: GenerationalSettings) -> None:
        super().__init__(problem, settings)
        self.settings: GenerationalSettings = settings
        self._credit = settings.mutation.credit()
        self._generation = 0
        # Number of trials of this generation that are asked.
        self._asked = 0
        # Trials of this generation that are told. With a steady replacement: those that are told
        # since the population changed.
        self._told: list[Trial] = []
        self._population: list[Individual] = []
        # Main parents and their partners, if selection draws for a whole generation at once.
        self._drawn: list[list[Individual]] = []

    @property
    def _is_steady(self) -> bool:
        """Whether children are asked without waiting; the founders are always one generation."""
        if not self._population:
            return False
        return self.settings.replacement.is_steady

    @property
    def _size(self) -> int:
        """The number of trials that this generation has."""
        population = self.settings.population
        if not self._population:
            return population
        return self.settings.replacement.offspring(population)

    def ask(self, count: int) -> list[Proposal]:
        end = self._asked + count
        # Children of the next generation wait for their parents, so this one must be told first.
        if not self._is_steady:
            end = min(end, self._size)
        proposals = []
        while self._asked < end:
            proposals.append(self._propose(self._asked))
            self._asked += 1
        return proposals

    def alternatives(self, count: int) -> list[Proposal]:
        place = self._asked
        must_wait = place >= self._size and not self._is_steady
        if must_wait:
            return []
        return [self._propose(place, *other) for other in counters(count)]

    def _propose(self, place: int, *other: int) -> Proposal:
        """The proposal at this place of the generation, or one of its alternatives."""
        if self._population:
            return self._breed(place, *other)
        return self._found(place, *other)

    def _found(self, place: int, *other: int) -> Proposal:
        """A founder: one that is named, or a random genome."""
        problem = self.problem
        seeds = self.settings.founder_names
        generation = self._generation
        # If all founders fail, generation 1 has founders too. Those with names are not tried again.
        if generation == 0 and place < len(seeds):
            operator = f"seed {seeds[place]}"
            genome = problem.seeds[seeds[place]]
        else:
            operator = "sample"
            rng = generator(problem.seed, "sample", generation, place, *other)
            genome = sample(problem.space, rng)
        lineage = Lineage((operator,), (), generation)
        return Proposal(genome, problem.fidelity, lineage)

    def _breed(self, place: int, *other: int) -> Proposal:
        """A child of one or two parents that differs from them.

        If no different child is found, it is a duplicate, which costs nothing. Its lineage names
        those that the child still has something of.
        """
        space = self.problem.space
        crossover = self.settings.crossover
        mutation = self.settings.mutation
        rates = self._credit.rates
        rng = generator(self.problem.seed, "child", self._generation, place, *other)
        count = 2 if rng.random() < crossover.rate else 1
        parents = self._parents(count, place, rng)
        genomes = [parent.genome for parent in parents]
        words: list[str] = []
        child = genomes[0]
        if len(genomes) == 2:
            child = crossover.cross(space, genomes[0], genomes[1], rng)
        crossed = child
        # The child of one parent is a copy so far, so it is always edited.
        if len(genomes) == 1 or rng.random() < mutation.rate:
            edits = int(rng.integers(1, mutation.edits + 1))
            child = edited(space, child, edits, words, rng, rates)
        child = different(space, child, genomes, words, rng, rates)
        # Only now is it known whether something is left of each of the two.
        if len(genomes) == 2:
            places = givers(genomes[0], genomes[1], crossed, child)
            parents = [parents[place] for place in places]
        if len(parents) == 2:
            words.insert(0, "crossover")
        operators = tuple(words) or ("copy",)
        ids = tuple(parent.id for parent in parents)
        generation = self._generation_of(place)
        lineage = Lineage(operators, ids, generation)
        return Proposal(child, self.problem.fidelity, lineage)

    def _generation_of(self, place: int) -> int:
        """The generation to write into a child's lineage."""
        if not self._is_steady:
            return self._generation
        # There are no generations. One is counted for every `population` children.
        row = place // self.settings.population
        return self._generation + row

    def _parents(self, count: int, place: int, rng: np.random.Generator) -> list[Individual]:
        """One parent, or two different ones if a second one is found."""
        selection = self.settings.selection
        if selection.at_once and not self._is_steady:
            mains, partners = self._all_parents()
            first = mains[place]
            # Every child begins to look for its partner at another place.
            others = partners[place:] + partners[:place]
        else:
            # Selection draws with replacement, so the first two may be one individual.
            drawn = selection.select(self._population, 1 if count == 1 else MATES, rng)
            first, *others = drawn
        if count == 1:
            return [first]
        for other in others:
            if other.id != first.id:
                return [first, other]
        return [first]

    def _all_parents(self) -> list[list[Individual]]:
        """The main parents of this generation by place, and a partner for each of them."""
        # Drawn when the first of them is needed, not after each tell: a resume draws them again.
        if not self._drawn:
            rng = generator(self.problem.seed, "select", self._generation)
            select = self.settings.selection.select
            size = self._size
            mains = select(self._population, size, rng)
            partners = select(self._population, size, rng)
            self._drawn = [mains, partners]
        return self._drawn

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._told.append(trial)
        if len(self._told) == self._size:
            self._replace(trial.id)

    def _replace(self, last: int) -> None:
        """The generation is complete: the survivors become the next population.

        Args:
            last: id of the trial that was told last.
        """
        settings = self.settings
        # Asked before the population changes: the founders were a generation.
        was_steady = self._is_steady
        children = [Individual(trial) for trial in self._newcomers()]
        rng = generator(self.problem.seed, "replace", last)
        self._population = settings.replacement.survivors(
            self._population,
            children,
            settings.population,
            rng,
        )
        self._told = []
        self._drawn = []
        if not was_steady:
            self._generation += 1
            self._asked = 0

    def _newcomers(self) -> list[Trial]:
        """The successful trials of the generation whose genomes do not live yet, by id.

        A genome lives once. Otherwise its duplicates would fill the population.
        """
        known = {individual.genome.digest for individual in self._population}
        newcomers = []
        for trial in self._told:
            digest = trial.genome.digest
            if trial.fitness is not None and digest not in known:
                known.add(digest)
                newcomers.append(trial)
        newcomers.sort(key=lambda trial: trial.id)
        return newcomers

    @property
    def retained(self) -> Collection[int]:
        """The population, and the trials that may join it when their generation is complete."""
        population = [individual.id for individual in self._population]
        newcomers = []
        for trial in self._told:
            if trial.fitness is not None:
                newcomers.append(trial.id)
        return [*population, *newcomers]

    def state_dict(self) -> dict[str, Any]:
        told = [trial.id for trial in self._told]
        population = [individual.id for individual in self._population]
        return {
            "generation": self._generation,
            "asked": self._asked,
            "told": told,
            "population": population,
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._generation = state["generation"]
        self._asked = state["asked"]
        self._told = [trials[id] for id in state["told"]]
        self._population = []
        for id in state["population"]:
            individual = Individual(trials[id])
            self._population.append(individual)
        # Drawn again from the same population when it is needed.
        self._drawn = []
        self._credit.restore(trials)
