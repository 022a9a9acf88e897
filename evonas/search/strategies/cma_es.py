"""CMA-ES: a normal distribution moves towards the better trials and takes the shape of the steps that succeed (Hansen
and Ostermeier, 2001: Completely derandomized self-adaptation in evolution strategies)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from deap import base, cma

from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Visit, mirrored, misfits
from evonas.search.individual import lent_randomness
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate.threads import one_thread

WORST_CONDITION = 1e14
"""Of the covariance matrix: the largest eigenvalue over the smallest; beyond it, rounding errors decide (Hansen,
2009)."""


@dataclass(frozen=True)
class CmaEsSettings:
    """The section `strategy.cma_es` of a config.

    Attributes:
        population: trials of a generation; null for 4 + 3 ln n, rounded down, in a space of n dimensions.
        sigma: the standard deviation in each coordinate at the beginning, as a part of the cube's width. With the
            default, the first generation is spread about as widely as random search.
    """

    population: Annotated[int, Ge(4)] | None = None
    sigma: Annotated[float, Gt(0), Le(1)] = 0.3

    def size(self, dimension: int) -> int:
        """Trials of a generation."""
        return self.population or 4 + int(3 * math.log(dimension))

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return misfits(problem, self.size(max(problem.space.dimension, 1)), "population")


class _Value(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (-1.0,)


class _Member(list[float]):
    """A visited point in the form that DEAP takes."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit.point.tolist())
        self.fitness = _Value((visit.value,))


class CmaEs(CubeSearch):
    """The algorithm is DEAP's (`deap.cma`); here are its generations, its walls and its restarts.

    The first search begins in the middle of the cube, later ones anywhere. Points outside are mirrored at the walls,
    and the distribution learns from where they came to lie. The better half of a generation are the parents of the
    next; a failed trial never is, so that a generation with few successes has as many parents as those, and after one
    without any the distribution stays.

    It begins anew where it finds no new genome, and where the distribution is numerically degenerate.
    """

    Settings = CmaEsSettings

    def _search(self, start: int) -> Method:
        dimension, seed = self.problem.space.dimension, self.problem.seed
        settings: CmaEsSettings = self.settings
        middle = (
            np.full(dimension, 0.5)
            if start == 0
            else generator(seed, "sample", start).random(dimension)
        )
        with one_thread():
            distribution = cma.Strategy(middle, settings.sigma, lambda_=settings.size(dimension))
        parents: tuple[int, ...] = ()
        for generation in itertools.count():
            with one_thread(), lent_randomness(generator(seed, "child", start, generation)):
                drawn = distribution.generate(np.asarray)
            word = "recombine" if parents else "sample"
            visits = yield [Move(mirrored(point), word, parents) for point in drawn]
            best = _parents(visits, distribution.lambda_)
            if best:
                with one_thread():
                    is_sound = _update(distribution, best)
                if not is_sound:
                    return
                parents = tuple(visit.id for visit in best)


def _parents(visits: Sequence[Visit], population: int) -> list[Visit]:
    """The better half of a generation, the best first; fewer where fewer succeeded."""
    succeeded = sorted((visit for visit in visits if visit.is_ok), key=lambda visit: visit.rank)
    return succeeded[: population // 2]


def _update(distribution: Any, parents: Sequence[Visit]) -> bool:
    """What DEAP does with a generation: only its parents matter, and their number decides the weights.

    Returns:
        Whether the distribution is sound; where it is not, it is good for nothing.
    """
    distribution.computeParams({"mu": len(parents)})
    try:
        with np.errstate(all="ignore"):
            distribution.update([_Member(visit) for visit in parents])
    except np.linalg.LinAlgError:
        return False
    return bool(0 < distribution.sigma < math.inf and 1 <= distribution.cond < WORST_CONDITION)
