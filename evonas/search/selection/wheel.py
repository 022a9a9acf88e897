"""The wheel that roulette-like schemes spin: shares, and DEAP's two ways to draw by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from deap import base, tools

from evonas.search.individual import Individual, lent_randomness
from evonas.trial import NON_NEGATIVE, Objective


class _Share(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (1.0,)


@dataclass(frozen=True, eq=False)
class _Slice:
    """An individual with its share of the wheel, which DEAP draws by as if it were a fitness."""

    individual: Individual
    share: float
    fitness: base.Fitness = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fitness", _Share((self.share,)))


def inverse_shares(population: Sequence[Individual]) -> list[float]:
    """Shares inversely proportional to the loss, the largest 1.

    They are smallest loss / loss, so that no loss overflows them. A loss of 0 has the limit of the formula: those that
    have it share the wheel among themselves.

    Raises:
        ValueError: a loss is negative, or more is better; `inverse_problem` refuses such objectives before a run.
    """
    losses = [individual.value.value for individual in population]
    if min(losses) < 0 or population[0].value.direction != "min":
        raise ValueError(
            f"shares inversely proportional to the loss need losses of at least 0. Received: {losses}"
        )
    smallest = min(losses)
    if smallest == 0:
        return [float(loss == 0) for loss in losses]
    return [smallest / loss for loss in losses]


def inverse_problem(objective: Objective) -> str:
    """Why shares cannot be inversely proportional to this objective; empty where they can."""
    advice = "tournament, rank, best and random take any objective."
    if objective.constraints:
        return f"gives shares inversely proportional to a loss, which does not know of constraints. {advice}"
    if objective.direction != "min":
        return (
            "gives shares inversely proportional to a loss, so that the objective must be one that is minimised;"
            f" {objective.name} is maximised, and the worst would be chosen most often. {advice}"
        )
    if objective.measure not in NON_NEGATIVE:
        return (
            "gives shares inversely proportional to a loss, so that the objective must never be negative;"
            f" that is not known of {objective.name}. {advice}"
        )
    return ""


def rank_shares(population: Sequence[Individual], pressure: float) -> list[float]:
    """Shares that fall linearly with the rank, in the order of `population`: the best has `pressure` times the mean,
    the worst 2 - `pressure` times. Of equal individuals the older has the better rank."""
    last = len(population) - 1
    order = sorted(
        range(len(population)), key=lambda i: (population[i].value.order, population[i].id)
    )
    ranks = {place: rank for rank, place in enumerate(order)}
    if last == 0:
        return [1.0]
    return [pressure - (2 * pressure - 2) * ranks[i] / last for i in range(len(population))]


def spun(
    population: Sequence[Individual], shares: Sequence[float], count: int, rng: np.random.Generator
) -> list[Individual]:
    """`count` independent spins of the wheel."""
    slices = _slices(population, shares)
    with lent_randomness(rng):
        chosen = tools.selRoulette(slices, count)
    chosen += [max(slices, key=lambda item: item.share)] * (
        count - len(chosen)
    )  # DEAP lets a spin fall off the end
    return [item.individual for item in chosen]


def spun_once(
    population: Sequence[Individual], shares: Sequence[float], count: int, rng: np.random.Generator
) -> list[Individual]:
    """One spin with `count` pointers at equal distances, shuffled: DEAP returns the largest shares first."""
    slices = _slices(population, shares)
    with lent_randomness(rng):
        chosen = tools.selStochasticUniversalSampling(slices, count)
    return [chosen[int(i)].individual for i in rng.permutation(count)]


def _slices(population: Sequence[Individual], shares: Sequence[float]) -> list[_Slice]:
    """The largest first, so that DEAP adds them up in the order in which it has summed them."""
    slices = [
        _Slice(individual, share) for individual, share in zip(population, shares, strict=True)
    ]
    return sorted((item for item in slices if item.share > 0), key=lambda item: -item.share)
