"""Populations with given values, and a driver that asks and tells as the engine does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from evonas.genome import sample
from evonas.search.individual import Individual
from evonas.search.strategy import Strategy
from evonas.trial import Fidelity, Lineage, Objective, Proposal, Trial, TrialState

MakePopulation = Callable[..., list[Individual]]


@pytest.fixture
def make_population(small_space) -> MakePopulation:
    """Individuals with these values of `val_loss`, and ids from `first` on."""

    def make(values: Sequence[float], direction: str = "min", first: int = 0) -> list[Individual]:
        objective = Objective("val_loss", direction)
        rng = np.random.default_rng(0)
        found = []
        for i, value in enumerate(values):
            proposal = Proposal(sample(small_space, rng), Fidelity(1), Lineage("sample"))
            metrics = {"val_loss": value}
            trial = Trial(
                first + i, proposal, None, TrialState.OK, metrics, objective.fitness(metrics)
            )
            found.append(Individual(trial))
        return found

    return make


@pytest.fixture
def drive(oracle) -> Callable[..., list[Trial]]:
    """Tell one, then ask while the window is open, until so many trials are asked."""

    def run(strategy: Strategy, trials: int, look_ahead: int = 5) -> list[Trial]:
        found: list[Trial] = []
        told = 0
        while len(found) < trials:
            if told < len(found):
                strategy.tell(found[told])
                told += 1
            while len(found) - told < look_ahead and (asked := strategy.ask(1)):
                found += [oracle.settle(len(found), proposal) for proposal in asked]
        return found

    return run
