"""Evolution: generations of selection, crossover, mutation and replacement (Holland, 1975; for networks, Real et al.,
2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Interval

from evonas.errors import NothingToMutate
from evonas.genome import MUTATIONS, Genome, MutationRates, mutate, sample
from evonas.randomness import generator
from evonas.search.crossover import Crossover, Uniform
from evonas.search.individual import Individual
from evonas.search.replacement import Elitist, Replacement
from evonas.search.selection import Selection, Tournament
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Proposal, Trial

TRIES = 20
"""Edits of a child that still equals a parent; then it stays what it is."""


@dataclass(frozen=True)
class Mutation:
    """How a child is edited.

    Attributes:
        rate: the probability that a child of two parents is edited too; a child of one parent always is.
        edits: an edited child gets 1 to this many edits, each number as likely.
        settings: the probability that an edit goes to the settings (optimizer, training, style), not to the network.
        operators: the weights of the operators, by name; those not named have 1, and 0 switches one off.
    """

    rate: Annotated[float, Interval(ge=0, le=1)] = 0.5
    edits: Annotated[int, Ge(1)] = 1
    settings: Annotated[float, Interval(ge=0, le=1)] = 0.25
    operators: Mapping[str, Annotated[float, Ge(0)]] = field(default_factory=dict)

    def rates(self) -> MutationRates:
        return MutationRates(
            settings=self.settings, operators={name: self.operators.get(name, 1.0) for name in MUTATIONS}
        )


@dataclass(frozen=True)
class EvolutionSettings:
    """The section `strategy.evolution` of a config.

    Attributes:
        population: individuals in the first generation, and those that live on after each; at least 2.
        seeds: names of seed genomes that are put into the first generation; random ones fill it up.
    """

    population: Annotated[int, Ge(2)] = 16
    seeds: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Tournament)
    crossover: Crossover = field(default_factory=Uniform)
    mutation: Mutation = field(default_factory=Mutation)
    replacement: Replacement = field(default_factory=Elitist)

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        found = {"replacement": self.replacement.problem(self.population)}
        if len(self.seeds) > self.population:
            found["seeds"] = f"{len(self.seeds)} seed genomes do not fit into a population of {self.population}"
        unknown = sorted(set(self.mutation.operators) - set(MUTATIONS))
        if unknown:
            found["mutation.operators"] = f"unknown operators {unknown}; there are {sorted(MUTATIONS)}"
        elif not any(weight > 0 for weight in self.mutation.rates().operators.values()):
            found["mutation.operators"] = "at least one operator must have a weight above 0"
        return {key: message for key, message in found.items() if message}


class Evolution(Strategy):
    """Generation 0 is sampled; each later one is born of the population that lives when the one before is fully told.

    Only successful trials enter the population. As long as none is there, generations are sampled like the first.
    """

    Settings = EvolutionSettings

    def __init__(self, problem: SearchProblem, settings: EvolutionSettings) -> None:
        super().__init__(problem, settings)
        self.settings: EvolutionSettings = settings
        self._rates = settings.mutation.rates()
        self._generation = 0
        self._asked = 0  # of this generation
        self._told: list[Trial] = []  # of this generation
        self._population: list[Individual] = []

    @property
    def _size(self) -> int:
        """How many trials this generation has."""
        if not self._population:
            return self.settings.population
        return self.settings.replacement.offspring(self.settings.population)

    def ask(self, count: int) -> list[Proposal]:
        slots = range(self._asked, min(self._asked + count, self._size))
        self._asked = max(self._asked, slots.stop)
        return [self._bear(slot) if self._population else self._found(slot) for slot in slots]

    def _found(self, slot: int) -> Proposal:
        """A founder: a seed genome, or a random one."""
        if self._generation == 0 and slot < len(self.settings.seeds):
            name = self.settings.seeds[slot]
            return self._propose(self.problem.seeds[name], f"seed {name}")
        rng = generator(self.problem.seed, "sample", self._generation, slot)
        return self._propose(sample(self.problem.space, rng), "sample")

    def _bear(self, slot: int) -> Proposal:
        """A child of one or two parents, different from both; where there is none, a twin, which costs nothing."""
        rng = generator(self.problem.seed, "child", self._generation, slot)
        crossing = rng.random() < self.settings.crossover.rate
        parents = self._parents(2 if crossing else 1, rng)
        child, words = parents[0].genome, []
        if len(parents) == 2:
            child = self.settings.crossover.cross(self.problem.space, parents[0].genome, parents[1].genome, rng)
            words.append("crossover")
        if len(parents) == 1 or rng.random() < self.settings.mutation.rate:
            child = self._edit(child, int(rng.integers(1, self.settings.mutation.edits + 1)), words, rng)
        for _ in range(TRIES):
            if all(child != parent.genome for parent in parents):
                break
            child = self._edit(child, 1, words, rng)
        return self._propose(child, "+".join(words) or "copy", tuple(parent.id for parent in parents))

    def _parents(self, count: int, rng: np.random.Generator) -> list[Individual]:
        """One parent, or two different ones where selection finds a second within a few draws."""
        first, *others = self.settings.selection.select(self._population, 1 if count == 1 else 8, rng)
        second = next((other for other in others if other.id != first.id), None)
        return [first] if second is None else [first, second]

    def _edit(self, child: Genome, edits: int, words: list[str], rng: np.random.Generator) -> Genome:
        for _ in range(edits):
            try:
                child, word = mutate(self.problem.space, child, rng, self._rates)
            except NothingToMutate:
                return child
            words.append(word)
        return child

    def _propose(self, genome: Genome, operator: str, parents: tuple[int, ...] = ()) -> Proposal:
        return Proposal(genome, self.problem.fidelity, Lineage(operator, parents, self._generation))

    def tell(self, trial: Trial) -> None:
        self._told.append(trial)
        if len(self._told) == self._size:
            self._replace()

    def _replace(self) -> None:
        """The generation is complete: survivors become the next population."""
        children = [Individual(trial) for trial in self._newcomers()]
        self._population = self.settings.replacement.survivors(self._population, children, self.settings.population)
        self._generation, self._asked, self._told = self._generation + 1, 0, []

    def _newcomers(self) -> list[Trial]:
        """The generation's successful trials whose genome does not live yet: a genome lives once, or twins would
        crowd out all."""
        living = {individual.genome.digest for individual in self._population}
        first = {trial.genome.digest: trial for trial in reversed(self._told) if trial.fitness is not None}
        return sorted((t for digest, t in first.items() if digest not in living), key=lambda trial: trial.id)

    def state_dict(self) -> dict[str, Any]:
        return {
            "generation": self._generation,
            "asked": self._asked,
            "told": [trial.id for trial in self._told],
            "population": [individual.id for individual in self._population],
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._generation, self._asked = state["generation"], state["asked"]
        self._told = [trials[id] for id in state["told"]]
        self._population = [Individual(trials[id]) for id in state["population"]]
