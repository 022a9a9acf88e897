"""The wheel of roulette-like schemes: shares of it, and DEAP's two ways to draw by shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from deap import base, tools

from evonas.learning.metrics import is_never_negative
from evonas.search.individual import Individual, lent_randomness
from evonas.trial import Objective


class _Share(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    """A share of the wheel in the form of a DEAP fitness that is maximised."""

    weights = (1.0,)


@dataclass(frozen=True, eq=False)
class _Slice:
    """An individual with its share of the wheel.

    DEAP draws by the attribute `fitness`, so the share is stored there.
    """

    individual: Individual
    share: float
    fitness: base.Fitness = field(init=False)

    def __post_init__(self) -> None:
        # A frozen dataclass forbids a plain assignment, here too.
        object.__setattr__(self, "fitness", _Share((self.share,)))


def inverse_shares(population: Sequence[Individual]) -> list[float]:
    """Shares inversely proportional to the loss, the largest 1.

    Raises:
        ValueError: a loss is negative, or the objective is maximised. `inverse_problem` refuses
            such objectives before a run.
    """
    losses = [individual.value.value for individual in population]
    smallest = min(losses)
    if smallest < 0 or population[0].value.direction != "min":
        raise ValueError(
            "shares inversely proportional to the loss need losses of at least 0."
            f" Received: {losses}"
        )
    # The limit of the formula for a loss of 0: these individuals share the wheel among themselves.
    if smallest == 0:
        return [float(loss == 0) for loss in losses]
    # Not 1 / loss, which overflows for a very small loss.
    return [smallest / loss for loss in losses]


def inverse_problem(objective: Objective) -> str:
    """Why shares cannot be inversely proportional to this objective; empty if they can."""
    advice = "tournament, rank, best and random take any objective."
    if objective.constraints:
        return (
            "gives shares inversely proportional to a loss, which does not know of constraints."
            f" {advice}"
        )
    if objective.direction != "min":
        return (
            "gives shares inversely proportional to a loss,"
            " so that the objective must be one that is minimised;"
            f" {objective.name} is maximised, and the worst would be chosen most often. {advice}"
        )
    if not is_never_negative(objective.name):
        return (
            "gives shares inversely proportional to a loss,"
            " so that the objective must never be negative;"
            f" that is not known of {objective.name}. {advice}"
        )
    return ""


def rank_shares(population: Sequence[Individual], pressure: float) -> list[float]:
    """Shares that fall linearly with the rank, in the order of `population`.

    Of equal individuals the older has the better rank.

    Args:
        population: at least one individual.
        pressure: share of the best, in units of the mean share; the worst has 2 - `pressure`.
    """
    last = len(population) - 1
    # With a single individual the formula below would divide by 0.
    if last == 0:
        return [1.0]

    def order(place: int) -> tuple[tuple[float, float], int]:
        individual = population[place]
        return individual.value.order, individual.id

    shares = [0.0] * len(population)
    difference = 2 * pressure - 2
    best_to_worst = sorted(range(len(population)), key=order)
    for rank, place in enumerate(best_to_worst):
        shares[place] = pressure - difference * rank / last
    return shares


def spun(
    population: Sequence[Individual], shares: Sequence[float], count: int, rng: np.random.Generator
) -> list[Individual]:
    """The individuals of `count` independent spins of the wheel."""
    slices = _slices(population, shares)
    with lent_randomness(rng):
        chosen = tools.selRoulette(slices, count)
    # By rounding, a spin may stop behind the last slice. DEAP then returns one individual less.
    missing = count - len(chosen)
    largest = max(slices, key=lambda item: item.share)
    chosen += [largest] * missing
    return [item.individual for item in chosen]


def spun_once(
    population: Sequence[Individual], shares: Sequence[float], count: int, rng: np.random.Generator
) -> list[Individual]:
    """The individuals at the pointers of one spin: `count` pointers at equal distances."""
    slices = _slices(population, shares)
    with lent_randomness(rng):
        chosen = tools.selStochasticUniversalSampling(slices, count)
    # DEAP returns the largest shares first, but no place of the result may be a better one.
    shuffled = rng.permutation(count)
    return [chosen[int(place)].individual for place in shuffled]


def _slices(population: Sequence[Individual], shares: Sequence[float]) -> list[_Slice]:
    """The slices of the wheel that are not empty, the largest first."""
    slices = []
    pairs = zip(population, shares, strict=True)
    for individual, share in pairs:
        if share > 0:
            item = _Slice(individual, share)
            slices.append(item)
    # DEAP sums the shares in the given order, but walks around the wheel from the largest share.
    # With one order for both, the two sums agree to the last bit.
    return sorted(slices, key=lambda item: -item.share)
