"""Nelder-Mead: a simplex of points that moves downhill, and grows and shrinks on its way.

A simplex in n dimensions has n + 1 corners. In each step, its worst corner is reflected at the
middle of the others. If the reflection is the best point so far, the step is made longer
(expansion). If it is poor, the step is made shorter (contraction). If that does not help either,
all corners move towards the best one (shrink).

Paper: Nelder and Mead, 1965: A simplex method for function minimization. The paper has no walls,
and ends where the values of the corners are alike. Here, the steps are those of SciPy, and a
simplex that is small, whatever its values, makes way for another one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Point, Source, Visit, misfits
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings

Step = Generator[Sequence[Move], Sequence[Visit], Visit | None]
"""A part of a `Method` that returns a visit, or None."""


@dataclass(frozen=True)
class NelderMeadSettings(StrategySettings):
    """The section `strategy.nelder_mead` of a config.

    Attributes:
        size: distance of the corners of the first simplex from its random corner, as a part of the
            cube's width.
        adaptive: whether the simplex's steps depend on the dimension (Gao and Han, 2012). In many
            dimensions, the original steps shrink the simplex too fast to come close to the optimum.
            They are faster as long as the optimum is far.
        tolerance: smallest size of the simplex, as a part of the cube's width. If every corner is
            closer than this to the best one in all coordinates, the search starts again.
    """

    size: Annotated[float, Gt(0), Le(0.5)] = 0.5
    adaptive: bool = False
    tolerance: Annotated[float, Gt(0), Le(1)] = 1e-4

    def make(self, problem: SearchProblem) -> Strategy:
        return NelderMead(problem, self)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        corners = problem.space.dimension + 1
        return misfits(problem, corners)


@dataclass(frozen=True)
class Steps:
    """How far the worst corner goes; the unit is its distance from the middle of the others.

    Attributes:
        expansion: distance beyond the middle, if the reflection was the best of all.
        contraction: distance on either side of the middle, if the reflection was poor.
        shrinkage: part that remains of the distance of all corners from the best.
    """

    expansion: float = 2.0
    contraction: float = 0.5
    shrinkage: float = 0.5

    @classmethod
    def adapted(cls, dimension: int) -> Steps:
        """The steps of Gao and Han for this dimension."""
        # In one dimension, their shrinkage would be 0, and the simplex would vanish.
        n = max(dimension, 2)
        expansion = 1 + 2 / n
        contraction = 0.75 - 1 / (2 * n)
        shrinkage = 1 - 1 / n
        return cls(expansion, contraction, shrinkage)


class NelderMead(CubeSearch):
    """Visits the same points in the same order as `scipy.optimize.minimize` with bounds.

    That holds if both begin with the same simplex. The first simplex has one random corner, and one
    more corner in the direction of each coordinate. After these, points are tried one at a time, so
    more than one worker is of no use. Only a shrink moves all corners but the best at once. A
    failed trial is worse than any other. A point outside of the cube is moved to the nearest point
    inside, as in SciPy.

    If the simplex is small and its values are alike, SciPy stops. Here, another random simplex
    begins as soon as it is small, so that the budget is used. The same happens if all corners of
    the first simplex failed, or if no new genome is found.
    """

    def _search(self, start: int) -> Method:
        settings = self.settings
        dimension = self.problem.space.dimension
        steps = Steps.adapted(dimension) if settings.adaptive else Steps()
        # Were all corners random, the simplex would often be nearly flat.
        rng = generator(self.problem.seed, "sample", start)
        first = rng.random(dimension)
        corners = [first, *_around(first, settings.size)]
        visits = yield [Move(corner) for corner in corners]
        simplex = _sorted(visits)
        # All corners failed if the best one did.
        while simplex[0].is_ok and _width(simplex) > settings.tolerance:
            best = simplex[0]
            # A simplex that lies on one wall of the cube could never leave the wall.
            if _is_flat(simplex):
                corners = _around(best.point, settings.size)
                visits = yield [_move("step", corner, best) for corner in corners]
                simplex = _sorted([best, *visits])
                continue
            better = yield from _replacement(simplex, steps)
            if better is None:
                visits = yield _shrunk(simplex, steps.shrinkage)
                simplex = _sorted([best, *visits])
            else:
                simplex = _sorted([*simplex[:-1], better])


def _replacement(simplex: Sequence[Visit], steps: Steps) -> Step:
    """Try to replace the worst corner.

    Args:
        simplex: the corners, the best first.

    Returns:
        The corner in the place of the worst; None if the simplex must shrink.
    """
    best = simplex[0]
    worst = simplex[-1]
    # The same operations in the same order as in SciPy, so that every bit of a point is the same.
    others = [corner.point for corner in simplex[:-1]]
    middle = np.add.reduce(others, 0) / len(others)
    reflection = 2 * middle - worst.point
    # Every corner is part of a new point. The middle weighs more, except in the last step below.
    (reflected,) = yield [_move("reflect", reflection, *simplex)]
    if reflected.value < best.value:
        reach = steps.expansion
        beyond = (1 + reach) * middle - reach * worst.point
        (expanded,) = yield [_move("expand", beyond, *simplex)]
        if expanded.value < reflected.value:
            return expanded
        return reflected
    second_worst = simplex[-2]
    if reflected.value < second_worst.value:
        return reflected
    reach = steps.contraction
    if reflected.value < worst.value:
        # The reflection is better than the worst corner: look on its side of the middle.
        outside = (1 + reach) * middle - reach * worst.point
        (contracted,) = yield [_move("contract", outside, *simplex)]
        is_good = contracted.value <= reflected.value
    else:
        inside = (1 - reach) * middle + reach * worst.point
        (contracted,) = yield [_move("contract", inside, worst, *simplex[:-1])]
        is_good = contracted.value < worst.value
    return contracted if is_good else None


def _around(point: Point, size: float) -> list[Point]:
    """One point for each coordinate, moved by `size` in it, towards the middle of the cube."""
    steps = np.where(point < 0.5, size, -size)
    corners = point + np.diag(steps)
    return list(corners)


def _is_flat(simplex: Sequence[Visit]) -> bool:
    """Whether all corners have the same value of some coordinate."""
    points = [corner.point for corner in simplex]
    widths = np.ptp(points, axis=0)
    return bool(np.any(widths == 0))


def _sorted(corners: Sequence[Visit]) -> list[Visit]:
    """The best first; equal ones keep their order."""
    # By the value alone, as in SciPy: Python's sort is stable.
    return sorted(corners, key=lambda corner: corner.value)


def _width(simplex: Sequence[Visit]) -> float:
    """The largest distance of a corner from the best one in any coordinate."""
    best = simplex[0].point
    width = 0.0
    for corner in simplex[1:]:
        distances = np.abs(corner.point - best)
        width = max(width, float(np.max(distances)))
    return width


def _shrunk(simplex: Sequence[Visit], remains: float) -> list[Move]:
    """All corners but the best one, moved towards it."""
    best = simplex[0]
    moves = []
    for corner in simplex[1:]:
        distance = corner.point - best.point
        point = best.point + remains * distance
        # At least half of the point is the corner's own.
        move = _move("shrink", point, corner, best)
        moves.append(move)
    return moves


def _move(word: str, point: Point, *corners: Visit) -> Move:
    """A move to the nearest point in the cube.

    Args:
        corners: what the point is made of, the most important first. Failed ones are no sources.
    """
    inside = np.clip(point, 0.0, 1.0)
    sources = [Source.of_all(corner) for corner in corners if corner.is_ok]
    return Move(inside, word, tuple(sources))
