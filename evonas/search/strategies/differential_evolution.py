"""Differential evolution: the differences between points are the steps that points take.

A population of points lives in the unit cube, each at a place. In a generation, every place gets a
child. A mutant is a base point plus the difference of two other points. The child has some
coordinates of the mutant, and the others of the point at its place, the target. The child replaces
the target if it is no worse.

Paper: Storn and Price, 1997: Differential evolution. The paper has no walls and no failed trials.
Here, points are mirrored at the walls, and a place where nothing has succeeded is filled at random.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval, Le

from evonas.genome.encoding import Mask
from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Source, Visit, mirrored, misfits
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings

FEWEST = 4
"""A child is made of four points: its target, the base, and the two of the difference."""


@dataclass(frozen=True)
class DifferentialEvolutionSettings(StrategySettings):
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

    def make(self, problem: SearchProblem) -> Strategy:
        return DifferentialEvolution(problem, self)

    def first_generation(self) -> int | None:
        return self.population

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        first = self.population
        return misfits(problem, first, "population")


class DifferentialEvolution(CubeSearch):
    """A generation is told completely before the next one is made.

    A place is empty until a trial succeeds there, because failed trials never live. Empty places
    are filled at random. All places are, as long as fewer than four are taken. Points outside of
    the cube are mirrored at its walls.
    """

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
        """A child for the place of the target; a random point if too few points live.

        The target has given nothing if all coordinates come from the mutant. The two points of the
        difference have given nothing where the mutant is no other than the base.
        """
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
        is_crossed = self._crossed(dimension, rng)
        child = np.where(is_crossed, mutant, target.point)
        is_moved = is_crossed & (mutant != first.point)
        sources = _sources(
            (target, ~is_crossed), (first, is_crossed), (second, is_moved), (third, is_moved)
        )
        return Move(mirrored(child), "difference", sources)

    def _crossed(self, dimension: int, rng: np.random.Generator) -> Mask:
        """Which coordinates come from the mutant; the others come from the target."""
        is_crossed: Mask = rng.random(dimension) < self.settings.crossover
        # At least one coordinate comes from the mutant, or the child could be its target again.
        always = rng.integers(dimension)
        is_crossed[always] = True
        return is_crossed


def _sources(*given: tuple[Visit, Mask]) -> tuple[Source, ...]:
    """The sources of a child, each visit once."""
    found: dict[int, Source] = {}
    for visit, mask in given:
        # The best point may also be the target, or a part of the difference.
        if visit.id in found:
            mask = mask | found[visit.id].given
        found[visit.id] = Source(visit, mask)
    return tuple(found.values())


def _better(old: Visit | None, new: Visit) -> Visit | None:
    """The point that lives on at a place."""
    if not new.is_ok:
        return old
    # Of equal points the new one lives on, so that a plateau can be crossed.
    if old is None or new.value <= old.value:
        return new
    return old
