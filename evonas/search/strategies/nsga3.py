"""NSGA-III: the least dominated live on, of equals those close to reference directions that few are close to (Deb and
Jain, 2014; constraints: Jain and Deb, 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge
from deap import tools

from evonas.search.front_search import FrontSearch, FrontSettings
from evonas.search.individual import Individual, lent_randomness
from evonas.search.pareto import Point, points, scaled, survivors
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategy import SearchProblem
from evonas.trial import Objective


@dataclass(frozen=True)
class Nsga3Settings(FrontSettings):
    """The section `strategy.nsga3` of a config.

    Attributes:
        population: individuals that live, and children of a generation; at least 4.
        seeds: names of seed genomes that are put into the first generation; random ones fill it up.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited; its operators' weights stay as they are.
        divisions: of each axis between 0 and 1: the reference directions are the points of a regular grid (Das and
            Dennis, 1998). Null for as many as give at most `population` directions.
    """

    divisions: Annotated[int, Ge(1)] | None = None

    def directions(self, objectives: int) -> Any:
        """The reference directions: (count, objectives), each with the sum 1."""
        divisions = self.divisions or 1
        while (
            self.divisions is None
            and comb(divisions + objectives, objectives - 1) <= self.population
        ):
            divisions += 1
        return tools.uniform_reference_points(objectives, divisions)


class Nsga3(FrontSearch):
    """Parents by chance, but for constraints; survivors by non-domination and reference directions.

    Objectives are scaled by the generation at hand, and the memory of extreme points that the authors keep is left out:
    who lives on is a function of who lives.
    """

    Settings = Nsga3Settings

    def __init__(self, problem: SearchProblem, settings: Nsga3Settings) -> None:
        niches = Niches(problem.objectives, settings.directions(len(problem.objectives)))
        super().__init__(problem, settings, FeasibleFirst(), niches)


@dataclass(frozen=True)
class FeasibleFirst(Selection):
    """Pairs meet; the one that violates constraints less wins, and the first one where both are equal.

    A generation's parents are drawn at once, as in NSGA-II.
    """

    at_once: ClassVar[bool] = True

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        order: list[int] = []
        while len(order) < count:
            order += rng.permutation(len(population)).tolist()
        rivals = rng.integers(len(population), size=count)
        pairs = [(population[a], population[int(b)]) for a, b in zip(order, rivals, strict=False)]
        return [min(pair, key=lambda individual: individual.value.violation) for pair in pairs]


@dataclass(frozen=True, eq=False)
class Niches(Replacement):
    """Front by front, until one does not fit: of that one, those that fill the emptiest niches.

    Attributes:
        directions: (count, objectives).
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
            with lent_randomness(rng):
                chosen: list[Point] = tools.selNSGA3(
                    scaled(feasible), count, self.directions, nd="standard"
                )
            return chosen

        return survivors(points([*parents, *children], self.objectives), population, choose)
