"""NSGA-II: the least dominated live on, of equals those where it is least crowded (Deb et al., 2002)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from deap import tools

from evonas.search.front_search import FrontSearch, FrontSettings
from evonas.search.individual import Individual
from evonas.search.pareto import fronts, points, survivors
from evonas.search.replacement import Replacement
from evonas.search.selection import Selection
from evonas.search.strategy import SearchProblem
from evonas.trial import Objective


@dataclass(frozen=True)
class Nsga2Settings(FrontSettings):
    """The section `strategy.nsga2` of a config.

    Attributes:
        population: individuals that live, and children of a generation; at least 4.
        seeds: names of seed genomes that are put into the first generation; random ones fill it up.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited; its operators' weights stay as they are.
    """


class Nsga2(FrontSearch):
    """Parents by crowded tournament, survivors by non-domination and crowding distance."""

    Settings = Nsga2Settings

    def __init__(self, problem: SearchProblem, settings: Nsga2Settings) -> None:
        super().__init__(
            problem, settings, CrowdedTournament(problem.objectives), Crowding(problem.objectives)
        )


@dataclass(frozen=True)
class CrowdedTournament(Selection):
    """Pairs meet; the one on the better front wins, of one front the lonelier, else chance decides.

    A generation's parents are drawn at once, by going through the shuffled population again and again: nobody meets
    more often than the others, but for one round. So it is in the authors' own program.
    """

    objectives: tuple[Objective, ...]
    at_once: ClassVar[bool] = True

    def select(
        self, population: Sequence[Individual], count: int, rng: np.random.Generator
    ) -> list[Individual]:
        places: dict[int, tuple[int, float]] = {}
        for place, front in enumerate(fronts(points(population, self.objectives))):
            places |= {
                point.individual.id: (place, -point.fitness.crowding_dist) for point in front
            }
        order: list[int] = []
        while len(order) < 2 * count:
            order += rng.permutation(len(population)).tolist()
        pairs = [
            (population[a], population[b]) for a, b in zip(order[::2], order[1::2], strict=False)
        ]
        return [min(pair, key=lambda individual: places[individual.id]) for pair in pairs[:count]]


@dataclass(frozen=True)
class Crowding(Replacement):
    """Front by front, until one does not fit: of that one, those with the largest crowding distance."""

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
        return survivors(points([*parents, *children], self.objectives), population, tools.selNSGA2)
