"""Differential evolution: the differences between points are the steps that points take.

A population of points lives in the unit cube, each at a place. In a generation, every place gets a
child. A mutant is a base point plus the difference of two other points. The child has some
coordinates of the mutant, and the others of the point at its place, the target. The child replaces
the target if it is no worse.

Paper: Storn and Price, 1997: Differential evolution.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval, Le

from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Point, Visit, mirrored, misfits
from evonas.search.strategy import SearchProblem

FEWEST = 4
"""A child has four different parents: its target, the base, and the two of the difference."""


@dataclass(frozen=True)
class DifferentialEvolutionSettings:
    """The section `strategy.differential_evolution` of a config.

    Attributes:
        population: number of points that live; a generation has one trial for each of them. The
            paper has 5 to 10 for each dimension, for many thousands of trials.
        base: point to which a difference is added: a random one (the paper's `rand/1`) or the best
            one (`best/1`). The best one is faster, and a local optimum catches it more easily.
        factor: factor by which the difference is multiplied; F in the paper.
        crossover: part of a child's coordinates that is not copied from its target; CR in the
            paper.
    """

    population: Annotated[int, Ge(FEWEST)] = 16
    base: Literal["random", "best"] = "best"
    factor: Annotated[float, Gt(0), Le(2)] = 0.5
    crossover: Annotated[float, Interval(ge=0, le=1)] = 0.9

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """Which of these settings do not fit a search problem, by key; empty if all do."""
        first = self.population
        return misfits(problem, first, "population")


class DifferentialEvolution(CubeSearch):
    """A generation is told completely before the next one is made.

    A place is empty until a trial succeeds there, because failed trials never live. Empty places
    are filled at random. All places are, as long as fewer than four are taken. Points outside of
    the cube are mirrored at its walls.
    """

    Settings = DifferentialEvolutionSettings

    def _search(self, start: int) -> Method:
        seed = self.problem.seed
        rng = generator(seed, "sample", start)
        places: list[Visit | None] = [None] * self.settings.population
        for generation in itertools.count():
            moves = []
            # In order, because all children draw from the same generator.
            for target in places:
                moves.append(self._move(target, places, rng))
            visits = yield moves
            pairs = zip(places, visits, strict=True)
            places = [_better(old, new) for old, new in pairs]
            rng = generator(seed, "child", start, generation)

    def _move(
        self,
        target: Visit | None,
        places: Sequence[Visit | None],
        rng: np.random.Generator,
    ) -> Move:
        """A child for the place of the target; a random point if there are too few parents."""
        dimension = self.problem.space.dimension
        living = [visit for visit in places if visit is not None]
        if target is None or len(living) < FEWEST:
            return Move(rng.random(dimension))
        others = [visit for visit in living if visit is not target]
        # Three are drawn for both kinds of base. With `best`, the first of them is not used.
        drawn = rng.permutation(len(others))[:3]
        first, second, third = (others[int(i)] for i in drawn)
        if self.settings.base == "best":
            first = min(living, key=lambda visit: visit.rank)
        difference = second.point - third.point
        mutant = first.point + self.settings.factor * difference
        child = self._crossed(target.point, mutant, rng)
        # The best point may also be the target or part of the difference: each id counts once.
        ids = (target.id, first.id, second.id, third.id)
        parents = tuple(dict.fromkeys(ids))
        return Move(child, "difference", parents)

    def _crossed(self, target: Point, mutant: Point, rng: np.random.Generator) -> Point:
        """A point in the cube with coordinates of the target and of the mutant."""
        dimension = len(target)
        is_crossed = rng.random(dimension) < self.settings.crossover
        # At least one coordinate comes from the mutant, or the child could be its target again.
        always = rng.integers(dimension)
        is_crossed[always] = True
        point = np.where(is_crossed, mutant, target)
        return mirrored(point)


def _better(old: Visit | None, new: Visit) -> Visit | None:
    """The point that lives on at a place."""
    if not new.is_ok:
        return old
    # Of equal points the new one lives on, so that a plateau can be crossed.
    if old is None or new.value <= old.value:
        return new
    return old
