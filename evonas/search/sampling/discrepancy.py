"""How evenly each sampler fills a space, for people who choose one."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.search.sampling.sampling import Sampler


@dataclass(frozen=True)
class Evenness:
    """What is known of a sampler in a cube.

    Attributes:
        discrepancy: centered, in the L2 norm (Hickernell, 1998): the lower, the more even. Comparable only for equal
            dimensions and numbers of points. None where the sampler cannot do the dimension.
        problem: why it cannot; else empty.
    """

    discrepancy: float | None
    problem: str = ""


def evenness(sampler: Sampler, dimension: int, count: int, seed: int) -> Evenness:
    """The discrepancy of the first `count` points, as a run with that budget of trials would draw them."""
    from scipy.stats import qmc

    if problem := sampler.problem(dimension):
        return Evenness(None, problem)
    size = sampler.size(count)
    rounds = [sampler.points(dimension, size, seed, round) for round in range(-(-count // size))]
    points = [point for part in rounds for point in part][:count]
    return Evenness(float(qmc.discrepancy(points, method="CD")))
