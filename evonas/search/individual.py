"""A trial with a fitness as a member of a population, in the form that DEAP's operators take.

DEAP's random numbers are contained here too.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from deap import base

from evonas.genome import Genome
from evonas.trial import Fitness, Trial


# DEAP compares fitness values one after the other, so the violation of constraints counts first. A
# negative weight means that less is better.
class _Minimised(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (-1.0, -1.0)


class _Maximised(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Individual:
    """A successful trial as a member of a population.

    Attributes:
        fitness: the `deap.base.Fitness` that DEAP's selections compare. The violation of
            constraints comes before the value.
    """

    trial: Trial
    fitness: base.Fitness = field(init=False)

    def __post_init__(self) -> None:
        value = self.value
        kind = _Minimised if value.direction == "min" else _Maximised
        values = (value.violation, value.value)
        fitness = kind(values)
        # The dataclass is frozen, so a plain assignment would raise.
        object.__setattr__(self, "fitness", fitness)

    @property
    def id(self) -> int:
        return self.trial.id

    @property
    def genome(self) -> Genome:
        return self.trial.genome

    @property
    def value(self) -> Fitness:
        """The fitness in evonas's own form.

        Raises:
            ValueError: the trial failed; failed trials are not individuals.
        """
        trial = self.trial
        if trial.fitness is None:
            raise ValueError(f"trial {trial.id} has no fitness: it is {trial.state}")
        return trial.fitness


def best_first(individuals: Sequence[Individual]) -> list[Individual]:
    """The individuals, sorted by fitness; equal ones are sorted by age, the older first."""

    def order(individual: Individual) -> tuple[tuple[float, float], int]:
        # The id makes the order complete, so that it never depends on chance.
        return (individual.value.order, individual.id)

    return sorted(individuals, key=order)


@contextlib.contextmanager
def lent_random(rng: np.random.Generator) -> Iterator[None]:
    """In this block, Python's global `random` is a stream derived from `rng`.

    Most of DEAP draws from that global stream alone. Afterwards the user's stream continues.
    """
    saved = random.getstate()
    random.seed(int(rng.integers(2**63)))
    # `lent_randomness` draws this number for NumPy. It is drawn here too, so that a search is the
    # same with either of the two.
    rng.integers(2**32)
    try:
        yield
    finally:
        random.setstate(saved)


@contextlib.contextmanager
def lent_randomness(rng: np.random.Generator) -> Iterator[None]:
    """Like `lent_random`, for parts of DEAP that draw from `numpy.random` as well.

    It is slower: NumPy's state takes longer to save and restore than Python's.
    """
    saved = random.getstate()
    # NumPy's rule forbids the global stream. DEAP draws from it, so it is the point here.
    saved_numpy = np.random.get_state()  # noqa: NPY002
    random.seed(int(rng.integers(2**63)))
    np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(saved)
        np.random.set_state(saved_numpy)  # noqa: NPY002
