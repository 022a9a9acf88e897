"""NSGA-III: evolution of a front of many objectives.

Individuals are sorted into fronts, as in NSGA-II, and the survivors are taken front by front. Among
many objectives, crowding distances say little. So the last front is cut by reference directions,
which are spread evenly over the space of objectives. Of that front, the individuals survive that
are close to a direction with few other survivors.

Papers: Deb and Jain, 2014; for the constraints, Jain and Deb, 2014. Crossover and mutation are
those of `evolution`. The authors also keep a memory of extreme points. It is left out: objectives
are scaled by the generation at hand, so the survivors are a function of the individuals alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge
from deap import tools

from evonas.search.individual import Individual, lent_randomness
from evonas.search.pareto import Point, points, scaled, survivors
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategies.front_search import FrontSearch, FrontSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Objective


@dataclass(frozen=True)
class Nsga3Settings(FrontSettings):
    """The section `strategy.nsga3` of a config.

    Parents by chance, except for constraints; survivors by fronts and reference directions.

    Attributes:
        population: number of individuals that live, and of children in a generation; at least 4.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited; the weights of its operators stay fixed.
        divisions: number of parts of each axis between 0 and 1. The reference directions are the
            points of this regular grid (Das and Dennis, 1998). Null for the number that gives at
            most `population` directions.
    """

    divisions: Annotated[int, Ge(1)] | None = None

    def directions(self, objectives: int) -> Any:
        """The reference directions, with shape (count, objectives); each has the sum 1."""
        if self.divisions is not None:
            return tools.uniform_reference_points(objectives, self.divisions)
        divisions = 1
        # A grid with d divisions has comb(d + objectives - 1, objectives - 1) directions. The test
        # is about d + 1.
        while comb(divisions + objectives, objectives - 1) <= self.population:
            divisions += 1
        return tools.uniform_reference_points(objectives, divisions)

    def make(self, problem: SearchProblem) -> Strategy:
        directions = self.directions(len(problem.objectives))
        niches = Niches(problem.objectives, directions)
        return FrontSearch(problem, self, FeasibleFirst(), niches)


@dataclass(frozen=True)
class FeasibleFirst(Selection):
    """Individuals meet in pairs, and the one that violates constraints less wins.

    If both are equal, the first one wins.
    """

    at_once: ClassVar[bool] = True

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        # The first of each pair comes from the shuffled population, again and again. So all
        # individuals have equally many children, up to one, as long as there are no constraints.
        order: list[int] = []
        while len(order) < count:
            order += rng.permutation(len(population)).tolist()
        rivals = rng.integers(len(population), size=count)
        winners = []
        for i in range(count):
            first = population[order[i]]
            second = population[int(rivals[i])]
            winner = min(first, second, key=lambda individual: individual.value.violation)
            winners.append(winner)
        return winners


@dataclass(frozen=True, eq=False)
class Niches(Replacement):
    """Takes front by front; from the last one, the individuals that fill the emptiest niches.

    A niche is the surrounding of a reference direction.

    Attributes:
        directions: the reference directions, with shape (count, objectives).
    """

    objectives: tuple[Objective, ...]
    directions: Any

    def offspring(self, population: int) -> int:
        return population

    def survivors(
        self,
        parents: Sequence[Individual],
        children: Sequence[Individual],
        population: int,
        rng: np.random.Generator,
    ) -> list[Individual]:
        def choose(feasible: list[Point], count: int) -> list[Point]:
            # DEAP 1.4 subtracts the ideal point twice. Of scaled points it is 0.
            # It decides equal niches by `numpy.random`.
            with lent_randomness(rng):
                chosen: list[Point] = tools.selNSGA3(
                    scaled(feasible), count, self.directions, nd="standard"
                )
            return chosen

        candidates = [*parents, *children]
        found = points(candidates, self.objectives)
        return survivors(found, population, choose)
