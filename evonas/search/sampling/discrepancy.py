"""How evenly a sampler fills a cube: the centered L2 discrepancy (Hickernell, 1998).

No search uses this module. It helps people to choose a sampler.
"""

from __future__ import annotations

from evonas.search.sampling.sampling import Sampler


def discrepancy(sampler: Sampler, dimension: int, count: int, seed: int) -> float:
    """The squared discrepancy of a run's points, as SciPy computes it; lower is more even.

    Args:
        sampler: sampler to be judged.
        dimension: dimension of the cube.
        count: number of trials in the run's budget, and so of points.
        seed: seed of the run.

    Raises:
        ValueError: the sampler cannot do the dimension; see `Sampler.problem`.
    """
    import numpy as np
    from scipy.stats import qmc

    if problem := sampler.problem(dimension):
        raise ValueError(problem)
    size = sampler.size(count)
    # Division rounded up: the last round may have more points than are needed.
    number_of_rounds = -(-count // size)
    rounds = []
    for round in range(number_of_rounds):
        points = sampler.points(dimension, size, seed, round)
        rounds.append(points)
    taken = np.concatenate(rounds)[:count]
    return float(qmc.discrepancy(taken, method="CD"))


def expected(dimension: int, count: int) -> float:
    """The mean of `discrepancy` for independent uniform points.

    A discrepancy says nothing without this mean, for its size depends on the dimension.
    """
    of_one_point = 1.25**dimension - (13 / 12) ** dimension
    return float(of_one_point) / count
