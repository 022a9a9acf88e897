"""Fitness, objectives and states."""

from __future__ import annotations

import math

import pytest

from evonas.trial import Fitness, Objective, TrialState


def test_better_is_greater_whatever_the_direction():
    assert Fitness(0.1, "min") > Fitness(0.2, "min")
    assert Fitness(0.9, "max") > Fitness(0.8, "max")
    assert not Fitness(0.1, "min") > Fitness(0.1, "min")
    assert sorted([0.3, 0.1, 0.2], key=lambda value: Fitness(value, "max").key) == [0.3, 0.2, 0.1]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_there_is_no_fitness_in_what_is_not_finite(value):
    metrics = {} if value is None else {"val_loss": value}
    assert Objective("val_loss", "min").fitness(metrics) is None


def test_every_state_but_waiting_is_final():
    assert [state for state in TrialState if not state.is_final] == [TrialState.WAITING]
