"""Differential evolution: the differences between points are the steps that points take (Storn and Price, 1997)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval, Le

from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Visit, mirrored, misfits
from evonas.search.strategy import SearchProblem

FEWEST = 4
"""A child has four different parents: its target, the base of its mutant, and the two of the difference."""


@dataclass(frozen=True)
class DifferentialEvolutionSettings:
    """The section `strategy.differential_evolution` of a config.

    Attributes:
        population: points that live; each generation is a trial for the place of each. The paper has 5 to 10 for each
            dimension, for many thousands of trials.
        base: what a difference is added to: a random point (the paper's `rand/1`), or the best one (`best/1`), which is
            faster and more easily caught in a local optimum.
        factor: what the difference is multiplied by; F in the paper.
        crossover: the part of a child's coordinates that is not its target's; CR in the paper.
    """

    population: Annotated[int, Ge(FEWEST)] = 16
    base: Literal["random", "best"] = "best"
    factor: Annotated[float, Gt(0), Le(2)] = 0.5
    crossover: Annotated[float, Interval(ge=0, le=1)] = 0.9

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return misfits(problem, self.population, "population")


class DifferentialEvolution(CubeSearch):
    """A child takes the place of its target where it is no worse; a generation is told before the next is made.

    A place is empty until a trial succeeds there: what has failed never lives. Empty places are sampled; so are all
    while fewer than four are taken. Points outside of the cube are mirrored at its walls.
    """

    Settings = DifferentialEvolutionSettings

    def _search(self, start: int) -> Method:
        rng = generator(self.problem.seed, "sample", start)
        places: list[Visit | None] = [None] * self.settings.population
        for generation in itertools.count():
            visits = yield [self._move(place, places, rng) for place in range(len(places))]
            places = [_better(old, new) for old, new in zip(places, visits, strict=True)]
            rng = generator(self.problem.seed, "child", start, generation)

    def _move(self, place: int, places: Sequence[Visit | None], rng: np.random.Generator) -> Move:
        """A child for this place; a random point where there are no parents."""
        target, settings = places[place], self.settings
        others = [visit for visit in places if visit is not None and visit is not target]
        dimension = self.problem.space.dimension
        if target is None or len(others) + 1 < FEWEST:
            return Move(rng.random(dimension))
        first, second, third = (others[int(i)] for i in rng.permutation(len(others))[:3])
        if settings.base == "best":
            first = min((target, *others), key=lambda visit: visit.rank)
        mutant = first.point + settings.factor * (second.point - third.point)
        is_crossed = rng.random(dimension) < settings.crossover
        is_crossed[rng.integers(dimension)] = True  # else a child could be its target
        child = mirrored(np.where(is_crossed, mutant, target.point))
        parents = dict.fromkeys(visit.id for visit in (target, first, second, third))
        return Move(child, "difference", tuple(parents))


def _better(old: Visit | None, new: Visit) -> Visit | None:
    """Who lives on at a place: of equals the new one, so that a plateau can be crossed."""
    if not new.is_ok:
        return old
    return new if old is None or new.value <= old.value else old
