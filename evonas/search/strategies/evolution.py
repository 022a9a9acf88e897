"""Evolution: generations of selection, crossover, mutation and replacement (Holland, 1975; for networks, Real et al.,
2017)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.crossover import Crossover, Uniform
from evonas.search.individual import Individual
from evonas.search.replacement import Elitist, Replacement
from evonas.search.selection import Selection, Tournament
from evonas.search.strategy import SearchProblem, Strategy, counters
from evonas.search.variation import Mutation, different, edited
from evonas.trial import Lineage, Objective, Proposal, Trial


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
        found = {
            "replacement": self.replacement.problem(self.population),
            "mutation.operators": self.mutation.operators_problem(),
        }
        if len(self.seeds) > self.population:
            found["seeds"] = (
                f"{len(self.seeds)} seed genomes do not fit into a population of {self.population}"
            )
        return {key: message for key, message in found.items() if message}

    def objective_problems(self, objective: Objective) -> dict[str, str]:
        """What of these settings cannot work with this objective, by key; empty where everything can."""
        wrong = self.selection.problem(objective)
        return {"selection": wrong} if wrong else {}


class Evolution(Strategy):
    """Generation 0 is sampled; each later one is born of the population that lives when the one before is fully told.

    Only successful trials enter the population. As long as none is there, generations are sampled like the first.
    Under a steady replacement (`Replacement.is_steady`) there are no generations after the founders: children are asked
    at any time, and the population changes with every `offspring` of them that are told.
    """

    Settings = EvolutionSettings
    has_alternatives = True

    def __init__(self, problem: SearchProblem, settings: EvolutionSettings) -> None:
        super().__init__(problem, settings)
        self.settings: EvolutionSettings = settings
        self._credit = settings.mutation.credit()
        self._generation = 0
        self._asked = 0  # of this generation
        self._told: list[
            Trial
        ] = []  # of this generation; under a steady replacement, since it was last applied
        self._population: list[Individual] = []
        self._drawn: list[
            list[Individual]
        ] = []  # main parents and their partners, of schemes that draw all at once

    @property
    def _is_steady(self) -> bool:
        return self.settings.replacement.is_steady and bool(self._population)

    @property
    def _size(self) -> int:
        """How many trials this generation has."""
        if not self._population:
            return self.settings.population
        return self.settings.replacement.offspring(self.settings.population)

    def ask(self, count: int) -> list[Proposal]:
        end = self._asked + count
        slots = range(self._asked, end if self._is_steady else min(end, self._size))
        self._asked = max(self._asked, slots.stop)
        return [self._breed(slot) if self._population else self._found(slot) for slot in slots]

    def alternatives(self, count: int) -> list[Proposal]:
        slot = self._asked
        if slot >= self._size and not self._is_steady:
            return []
        make = self._breed if self._population else self._found
        return [make(slot, *other) for other in counters(count)]

    def _found(self, slot: int, *other: int) -> Proposal:
        """A founder: a seed genome, or a random one."""
        if self._generation == 0 and slot < len(self.settings.seeds):
            name = self.settings.seeds[slot]
            return self._propose(self.problem.seeds[name], f"seed {name}")
        rng = generator(self.problem.seed, "sample", self._generation, slot, *other)
        return self._propose(sample(self.problem.space, rng), "sample")

    def _breed(self, slot: int, *other: int) -> Proposal:
        """A child of one or two parents, different from both; where there is none, a twin, which costs nothing."""
        space, mutation, rates = self.problem.space, self.settings.mutation, self._credit.rates
        rng = generator(self.problem.seed, "child", self._generation, slot, *other)
        crossing = rng.random() < self.settings.crossover.rate
        parents = self._parents(2 if crossing else 1, slot, rng)
        child, words = parents[0].genome, list[str]()
        if len(parents) == 2:
            child = self.settings.crossover.cross(space, parents[0].genome, parents[1].genome, rng)
            words.append("crossover")
        if len(parents) == 1 or rng.random() < mutation.rate:
            child = edited(
                space, child, int(rng.integers(1, mutation.edits + 1)), words, rng, rates
            )
        child = different(space, child, [parent.genome for parent in parents], words, rng, rates)
        ids, row = (
            tuple(parent.id for parent in parents),
            slot // self.settings.population if self._is_steady else 0,
        )
        return self._propose(child, "+".join(words) or "copy", ids, row)

    def _parents(self, count: int, slot: int, rng: np.random.Generator) -> list[Individual]:
        """One parent, or two different ones where selection finds a second within a few draws."""
        if self.settings.selection.at_once and not self._is_steady:
            mains, partners = self._all_parents()
            first, others = mains[slot], partners[slot:] + partners[:slot]
        else:
            first, *others = self.settings.selection.select(
                self._population, 1 if count == 1 else 8, rng
            )
        second = next((other for other in others if other.id != first.id), None)
        return [first] if count == 1 or second is None else [first, second]

    def _all_parents(self) -> list[list[Individual]]:
        """The main parents of this generation by slot, and a partner for each; drawn when the first is needed."""
        if not self._drawn:
            rng = generator(self.problem.seed, "select", self._generation)
            draw = self.settings.selection.select
            self._drawn = [draw(self._population, self._size, rng) for _ in range(2)]
        return self._drawn

    def _propose(
        self, genome: Genome, operator: str, parents: tuple[int, ...] = (), later: int = 0
    ) -> Proposal:
        return Proposal(
            genome, self.problem.fidelity, Lineage(operator, parents, self._generation + later)
        )

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._told.append(trial)
        if len(self._told) == self._size:
            self._replace(trial.id)

    def _replace(self, last: int) -> None:
        """The generation is complete: survivors become the next population."""
        was_steady = self._is_steady
        children = [Individual(trial) for trial in self._newcomers()]
        rng = generator(self.problem.seed, "replace", last)
        settings = self.settings
        self._population = settings.replacement.survivors(
            self._population, children, settings.population, rng
        )
        self._told, self._drawn = [], []
        if not was_steady:
            self._generation, self._asked = self._generation + 1, 0

    def _newcomers(self) -> list[Trial]:
        """The generation's successful trials whose genome does not live yet: a genome lives once, or twins would
        crowd out all."""
        living = {individual.genome.digest for individual in self._population}
        first = {
            trial.genome.digest: trial
            for trial in reversed(self._told)
            if trial.fitness is not None
        }
        return sorted(
            (t for digest, t in first.items() if digest not in living), key=lambda trial: trial.id
        )

    @property
    def retained(self) -> Collection[int]:
        """The population, and those that may join it when their generation is complete."""
        newcomers = (trial.id for trial in self._told if trial.fitness is not None)
        return [*(individual.id for individual in self._population), *newcomers]

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
        self._drawn = []
        self._credit.restore(trials)
