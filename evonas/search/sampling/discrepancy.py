"""How evenly a sampler fills a cube, for people who choose one: the centered L2 discrepancy (Hickernell, 1998)."""

from __future__ import annotations

from evonas.search.sampling.sampling import Sampler


def discrepancy(sampler: Sampler, dimension: int, count: int, seed: int) -> float:
    """The square of the discrepancy, as SciPy gives it, of the points that a run with a budget of `count` trials would
    have: the lower, the more even.

    Raises:
        ValueError: the sampler cannot do the dimension; see `Sampler.problem`.
    """
    import numpy as np
    from scipy.stats import qmc

    if problem := sampler.problem(dimension):
        raise ValueError(problem)
    size = sampler.size(count)
    rounds = [sampler.points(dimension, size, seed, round) for round in range(-(-count // size))]
    return float(qmc.discrepancy(np.concatenate(rounds)[:count], method="CD"))


def expected(dimension: int, count: int) -> float:
    """What `discrepancy` is on average for independent uniform points; without it, values of many dimensions tell
    nothing."""
    return float(1.25**dimension - (13 / 12) ** dimension) / count
