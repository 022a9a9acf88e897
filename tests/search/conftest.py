"""Populations with given values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from evonas.genome import sample
from evonas.search.individual import Individual
from evonas.testing import settled
from evonas.trial import Fidelity, Lineage, Objective, Proposal

MakePopulation = Callable[..., list[Individual]]


@pytest.fixture
def make_population(small_space) -> MakePopulation:
    """Individuals with these values of `val_loss`, and ids from `first` on."""

    def make(values: Sequence[float], direction: str = "min", first: int = 0) -> list[Individual]:
        objective = Objective("val_loss", direction)
        rng = np.random.default_rng(0)
        found = []
        for i, value in enumerate(values):
            proposal = Proposal(sample(small_space, rng), Fidelity(1), Lineage(("sample",)))
            found.append(Individual(settled(objective, first + i, proposal, value)))
        return found

    return make
