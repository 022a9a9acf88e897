"""NSGA-II: evolution of a front of several objectives.

Individuals are sorted into fronts: the first front is dominated by nobody, the second one only by
the first, and so on. The survivors are taken front by front. If a front does not fit completely,
the individuals with the largest crowding distance survive: they lie where the front is least
crowded. Parents win tournaments by the same two criteria.

Paper: Deb et al., 2002: A fast and elitist multiobjective genetic algorithm: NSGA-II. The paper
crosses and mutates lists of numbers. Here, crossover and mutation are those of `evolution`, so that
most children have one parent. A genome lives once, and a duplicate costs no trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from deap import tools

from evonas.search.individual import Individual
from evonas.search.pareto import fronts, points, survivors
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategies.front_search import FrontSearch, FrontSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Objective


@dataclass(frozen=True)
class Nsga2Settings(FrontSettings):
    """The section `strategy.nsga2` of a config.

    Parents by crowded tournament, survivors by non-domination and crowding distance.

    Attributes:
        population: number of individuals that live, and of children in a generation; at least 4.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited; the weights of its operators stay fixed.
    """

    def make(self, problem: SearchProblem) -> Strategy:
        tournament = CrowdedTournament(problem.objectives)
        crowding = Crowding(problem.objectives)
        return FrontSearch(problem, self, tournament, crowding)


@dataclass(frozen=True)
class CrowdedTournament(Selection):
    """Individuals meet in pairs, and the one on the better front wins.

    On the same front, the one with the larger crowding distance wins. Otherwise chance decides.
    """

    objectives: tuple[Objective, ...]
    at_once: ClassVar[bool] = True

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        # The number of the front, and the crowding distance, by the individual's id.
        places: dict[int, tuple[int, float]] = {}
        found = points(population, self.objectives)
        for front_number, front in enumerate(fronts(found)):
            for point in front:
                distance = point.fitness.crowding_dist
                places[point.individual.id] = (front_number, -distance)
        # The shuffled population is gone through again and again, as in the authors' own program.
        # So all individuals meet equally often, up to one round.
        order: list[int] = []
        while len(order) < 2 * count:
            order += rng.permutation(len(population)).tolist()
        winners = []
        for i in range(count):
            first = population[order[2 * i]]
            second = population[order[2 * i + 1]]
            # Of equals, `min` takes the first, and the order is random.
            winner = min(first, second, key=lambda individual: places[individual.id])
            winners.append(winner)
        return winners


@dataclass(frozen=True)
class Crowding(Replacement):
    """Takes front by front; from the last one, the individuals with the largest crowding distance.

    Parents and children compete together.
    """

    objectives: tuple[Objective, ...]

    def offspring(self, population: int) -> int:
        return population

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        candidates = [*parents, *children]
        found = points(candidates, self.objectives)
        return survivors(found, population, tools.selNSGA2)
