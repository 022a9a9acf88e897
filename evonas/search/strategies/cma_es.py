"""CMA-ES: evolution with a normal distribution that adapts its shape.

Each generation is drawn from a normal distribution in the unit cube. The better half of the
generation become parents. The distribution moves towards the parents and takes the shape of the
steps that succeed.

Paper: Hansen and Ostermeier, 2001: Completely derandomized self-adaptation in evolution strategies.
DEAP's implementation also has the rank-mu update, which came later (Hansen et al., 2003). The paper
has no walls, no failed trials and no restarts; `CmaEs` says how these are handled.
"""

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
from evonas.search.cube import CubeSearch, Method, Move, Point, Source, Visit, mirrored, misfits
from evonas.search.individual import lent_randomness
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate.threads import one_thread

WORST_CONDITION = 1e14
"""Largest allowed condition of the covariance matrix: its largest eigenvalue over its smallest.

Beyond it, rounding errors decide (Hansen, 2009).
"""


@dataclass(frozen=True)
class CmaEsSettings(StrategySettings):
    """The section `strategy.cma_es` of a config.

    Attributes:
        population: number of trials of a generation; null for 4 + 3 ln n, rounded down, in a space
            of n dimensions.
        sigma: standard deviation in each coordinate at the beginning, as a part of the cube's
            width. With the default, the first generation is spread about as widely as random
            search.
    """

    population: Annotated[int, Ge(4)] | None = None
    sigma: Annotated[float, Gt(0), Le(1)] = 0.3

    libraries = ("deap",)

    def make(self, problem: SearchProblem) -> Strategy:
        return CmaEs(problem, self)

    def first_generation(self) -> int | None:
        return self.population

    def size(self, dimension: int) -> int:
        """The number of trials of a generation."""
        if self.population is not None:
            return self.population
        logarithm = math.log(dimension)
        return 4 + int(3 * logarithm)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        # A space without dimensions has no logarithm; the called function says what is wrong.
        space = problem.space
        dimension = max(space.dimension, 1)
        first = self.size(dimension)
        return misfits(problem, first, "population")


class _Value(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (-1.0,)


class _Member(list[float]):
    """A visited point in the form that DEAP takes."""

    def __init__(self, visit: Visit) -> None:
        coordinates = visit.point.tolist()
        super().__init__(coordinates)
        values = (visit.value,)
        self.fitness = _Value(values)


class CmaEs(CubeSearch):
    """The algorithm is DEAP's (`deap.cma`); here are its generations, its walls and its restarts.

    The first search begins in the middle of the cube, later ones anywhere. A point outside of the
    cube is mirrored at the walls, and the distribution learns from the mirrored point.

    A failed trial is never a parent. A generation with few successful trials has fewer parents. If
    no trial succeeds, the distribution stays as it is. The search starts again if it finds no new
    genome, or if the distribution is numerically degenerate.
    """

    def _search(self, start: int) -> Method:
        seed = self.problem.seed
        settings: CmaEsSettings = self.settings
        middle = self._middle(start)
        size = settings.size(self.problem.space.dimension)
        # One thread everywhere: results of linear algebra depend on the number of threads.
        with one_thread():
            distribution = cma.Strategy(middle, settings.sigma, lambda_=size)
        sources: tuple[Source, ...] = ()
        for generation in itertools.count():
            rng = generator(seed, "child", start, generation)
            with one_thread(), lent_randomness(rng):
                drawn = distribution.generate(np.asarray)
            word = "recombine" if sources else "sample"
            inside = [mirrored(point) for point in drawn]
            visits = yield [Move(point, word, sources) for point in inside]
            best = _parents(visits, size)
            if not best:
                continue
            with one_thread():
                is_sound = _update(distribution, best)
            if not is_sound:
                return
            # Every weight is above 0, so all of them have moved the centre in all coordinates.
            sources = tuple(Source.of_all(visit) for visit in best)

    def _middle(self, start: int) -> Point:
        """The point around which a search begins."""
        dimension = self.problem.space.dimension
        if start == 0:
            return np.full(dimension, 0.5)
        rng = generator(self.problem.seed, "sample", start)
        return rng.random(dimension)


def _parents(visits: Sequence[Visit], population: int) -> list[Visit]:
    """The better half of a generation, the best first; fewer if fewer succeeded."""
    succeeded = [visit for visit in visits if visit.is_ok]
    succeeded.sort(key=lambda visit: visit.rank)
    half = population // 2
    return succeeded[:half]


def _update(distribution: Any, parents: Sequence[Visit]) -> bool:
    """Move and reshape the distribution by its parents, as DEAP does.

    Returns:
        Whether the distribution is sound. If it is not, it must not be used again.
    """
    # DEAP's weights are for a fixed number of parents, and here it may differ by generation.
    distribution.computeParams({"mu": len(parents)})
    members = [_Member(visit) for visit in parents]
    try:
        # A degenerate matrix gives overflows and NaN; they are found by the checks below.
        with np.errstate(all="ignore"):
            distribution.update(members)
    except np.linalg.LinAlgError:
        return False
    # Written so that NaN fails both checks.
    has_size = 0 < distribution.sigma < math.inf
    has_shape = 1 <= distribution.cond < WORST_CONDITION
    return bool(has_size and has_shape)
