"""Individual: a trial with a fitness, inside a population, in the form that DEAP's operators take.

And DEAP's randomness, contained.
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


class _Minimised(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (-1.0, -1.0)


class _Maximised(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    weights = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Individual:
    """A successful trial as a member of a population.

    Attributes:
        fitness: the `deap.base.Fitness` that DEAP's selections compare: the violation of constraints before the value.
    """

    trial: Trial
    fitness: base.Fitness = field(init=False)

    def __post_init__(self) -> None:
        kind = _Minimised if self.value.direction == "min" else _Maximised
        object.__setattr__(self, "fitness", kind((self.value.violation, self.value.value)))

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
        if self.trial.fitness is None:
            raise ValueError(f"trial {self.trial.id} has no fitness: it is {self.trial.state}")
        return self.trial.fitness


def best_first(individuals: Sequence[Individual]) -> list[Individual]:
    """Sorted by fitness; equal ones by age, the older first, so that the order never depends on chance."""
    return sorted(individuals, key=lambda individual: (individual.value.order, individual.id))


@contextlib.contextmanager
def lent_random(rng: np.random.Generator) -> Iterator[None]:
    """Most of DEAP draws from Python's global `random` alone: lend it a stream derived from `rng`, then give the user's
    back."""
    ours = random.getstate()
    random.seed(int(rng.integers(2**63)))
    rng.integers(
        2**32
    )  # what `lent_randomness` draws for NumPy, so that either gives the same search
    try:
        yield
    finally:
        random.setstate(ours)


@contextlib.contextmanager
def lent_randomness(rng: np.random.Generator) -> Iterator[None]:
    """Where DEAP draws from `numpy.random` as well: lend both. NumPy's state takes the longer to save and restore."""
    ours, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002  (that global stream is the point here)
    random.seed(int(rng.integers(2**63)))
    np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)  # noqa: NPY002
