"""Nelder-Mead: a simplex that reflects its worst corner at the others, and grows and shrinks on its way (Nelder and
Mead, 1965: A simplex method for function minimization)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Point, Visit, misfits
from evonas.search.strategy import SearchProblem


@dataclass(frozen=True)
class NelderMeadSettings:
    """The section `strategy.nelder_mead` of a config.

    Attributes:
        size: of the first simplex, as a part of the cube's width: how far its corners are from the random one.
        adaptive: whether the simplex's steps depend on the dimension (Gao and Han, 2012): in many dimensions the
            original ones shrink it too fast to come close to the optimum, and are faster as long as that is far.
        tolerance: the search starts again where no corner is farther than this from the best one in any coordinate, as
            a part of the cube's width.
    """

    size: Annotated[float, Gt(0), Le(0.5)] = 0.5
    adaptive: bool = False
    tolerance: Annotated[float, Gt(0), Le(1)] = 1e-4

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return misfits(problem, problem.space.dimension + 1)


@dataclass(frozen=True)
class Steps:
    """How far the worst corner goes, with its distance from the middle of the others as the unit.

    Attributes:
        expansion: beyond the middle, where the reflection was the best of all.
        contraction: beyond it or on this side, where the reflection was poor.
        shrinkage: what remains of the distance of all corners from the best.
    """

    expansion: float = 2.0
    contraction: float = 0.5
    shrinkage: float = 0.5

    @classmethod
    def adapted(cls, dimension: int) -> Steps:
        """Those of Gao and Han for so many dimensions; from 2 on, for in 1 the simplex would vanish."""
        n = max(dimension, 2)
        return cls(1 + 2 / n, 0.75 - 1 / (2 * n), 1 - 1 / n)


class NelderMead(CubeSearch):
    """Visits the points that `scipy.optimize.minimize` with bounds visits from the same simplex, in the same order.

    The first simplex has one random corner, and another one in the direction of each coordinate; were all random, it
    would often be nearly flat. After these, one point is tried at a time, so that more workers than one are of no use,
    but for a shrink, which moves all corners but the best. A failed trial is worse than any other. Points outside of
    the cube are moved to the nearest one inside, as in SciPy.

    SciPy stops where the simplex is small; here another random one begins, so that the budget is used. So it does where
    all corners of the first simplex failed, and where no new genome is found. A simplex whose corners have all come to
    lie on one wall of the cube could never leave it: a new one is laid around its best corner.
    """

    Settings = NelderMeadSettings

    def _search(self, start: int) -> Method:
        dimension = self.problem.space.dimension
        first = generator(self.problem.seed, "sample", start).random(dimension)
        steps = Steps.adapted(dimension) if self.settings.adaptive else Steps()
        corners = [first, *_around(first, self.settings.size)]
        simplex = _sorted((yield [Move(corner) for corner in corners]))
        while simplex[0].is_ok and _width(simplex) > self.settings.tolerance:
            best, worst = simplex[0], simplex[-1]
            if _is_flat(simplex):
                corners = _around(best.point, self.settings.size)
                simplex = _sorted(
                    [best, *(yield [_move("step", corner, best) for corner in corners])]
                )
                continue
            middle = np.add.reduce([corner.point for corner in simplex[:-1]], 0) / dimension
            (reflected,) = yield [_move("reflect", 2 * middle - worst.point, best, worst)]
            if reflected.value < best.value:
                reach = steps.expansion
                beyond = (1 + reach) * middle - reach * worst.point
                (expanded,) = yield [_move("expand", beyond, best, worst)]
                new = expanded if expanded.value < reflected.value else reflected
            elif reflected.value < simplex[-2].value:
                new = reflected
            else:
                psi, is_outside = steps.contraction, reflected.value < worst.value
                point = (
                    (1 + psi) * middle - psi * worst.point
                    if is_outside
                    else (1 - psi) * middle + psi * worst.point
                )
                (contracted,) = yield [_move("contract", point, best, worst)]
                is_good = (
                    contracted.value <= reflected.value
                    if is_outside
                    else contracted.value < worst.value
                )
                if not is_good:
                    simplex = _sorted([best, *(yield _shrunk(simplex, steps.shrinkage))])
                    continue
                new = contracted
            simplex = _sorted([*simplex[:-1], new])


def _around(point: Point, size: float) -> list[Point]:
    """The points that are so far from this one in one coordinate, towards the middle of the cube."""
    return list(point + np.diag(np.where(point < 0.5, size, -size)))


def _is_flat(simplex: Sequence[Visit]) -> bool:
    """Whether all corners have the same value of a coordinate."""
    return bool(np.any(np.ptp([corner.point for corner in simplex], axis=0) == 0))


def _sorted(corners: Sequence[Visit]) -> list[Visit]:
    """The best first; of equal ones the one that was first so far."""
    return sorted(corners, key=lambda corner: corner.value)


def _width(simplex: Sequence[Visit]) -> float:
    """The largest distance, in a coordinate, of a corner from the best."""
    return max(float(np.max(np.abs(corner.point - simplex[0].point))) for corner in simplex[1:])


def _shrunk(simplex: Sequence[Visit], remains: float) -> list[Move]:
    best = simplex[0]
    return [
        _move("shrink", best.point + remains * (corner.point - best.point), best, corner)
        for corner in simplex[1:]
    ]


def _move(word: str, point: Point, *parents: Visit) -> Move:
    """A move to the nearest point in the cube; failed corners are no parents."""
    return Move(
        np.clip(point, 0.0, 1.0), word, tuple(corner.id for corner in parents if corner.is_ok)
    )
