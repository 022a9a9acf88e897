"""Fitness, objectives, states and lineages."""

from __future__ import annotations

import math

import pytest

from evonas.trial import (
    Constraint,
    Fitness,
    Lineage,
    Objective,
    Outcome,
    TrialState,
    operators_of,
)


def test_better_is_greater_whatever_the_direction():
    assert Fitness(0.1, "min") > Fitness(0.2, "min")
    assert Fitness(0.9, "max") > Fitness(0.8, "max")
    assert not Fitness(0.1, "min") > Fitness(0.1, "min")
    assert sorted([0.3, 0.1, 0.2], key=lambda value: Fitness(value, "max").key) == [0.3, 0.2, 0.1]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_there_is_no_fitness_in_what_is_not_finite(value):
    metrics = {} if value is None else {"val_loss": value}
    assert Objective("val_loss", "min").fitness(metrics) is None


def test_what_satisfies_the_constraints_is_better_than_what_does_not():
    good, poor = Fitness(0.9, "min"), Fitness(2.0, "min")
    slightly, badly = Fitness(0.1, "min", 0.01), Fitness(0.0, "min", 5.0)
    assert sorted([badly, poor, slightly, good], key=lambda fitness: fitness.order) == [
        good,
        poor,
        slightly,
        badly,
    ]
    assert sorted([badly, poor, slightly, good], key=lambda fitness: fitness.cost) == [
        good,
        poor,
        slightly,
        badly,
    ]
    assert good > slightly > badly
    assert not slightly > poor
    assert good.is_feasible
    assert not slightly.is_feasible


@pytest.mark.parametrize(
    ("constraint", "value", "violation"),
    [
        (Constraint("m", most=50), 50, 0),
        (Constraint("m", most=50), 75, 0.5),
        (Constraint("m", most=50), -1, 0),
        (Constraint("m", least=0.8), 0.8, 0),
        (Constraint("m", least=0.8), 0.6, 0.25),
        (Constraint("m", least=0, most=2), -3, 3),
        (Constraint("m", least=0, most=2), 3, 0.5),
        (Constraint("m", least=-4, most=-2), -1, 0.5),
        (Constraint("m"), 7, 0),
    ],
)
def test_a_violation_is_relative_to_its_bound(constraint, value, violation):
    assert constraint.violation(value) == pytest.approx(violation)


def test_violations_add_up_and_need_their_metrics():
    bounds = (Constraint("parameters", most=1000), Constraint("val_accuracy", least=0.5))
    objective = Objective("val_loss", "min", constraints=bounds)
    assert objective.metrics == ("val_loss", "parameters", "val_accuracy")
    fitness = objective.fitness({"val_loss": 0.3, "parameters": 1500, "val_accuracy": 0.4})
    assert (fitness.value, fitness.violation) == (0.3, pytest.approx(0.5 + 0.2))
    assert (
        objective.fitness({"val_loss": 0.3, "parameters": 900, "val_accuracy": 0.5}).violation == 0
    )
    assert objective.fitness({"val_loss": 0.3, "parameters": 900}) is None


def test_a_weighted_sum_is_the_sum():
    objective = Objective("cost", "min", (("val_accuracy", -1.0), ("parameters", 1e-6)))
    assert objective.metrics == ("val_accuracy", "parameters")
    assert objective.fitness({"val_accuracy": 0.9, "parameters": 2e5}).value == pytest.approx(-0.7)
    assert objective.fitness({"val_accuracy": 0.9}) is None
    assert objective.fitness({"val_accuracy": 0.9, "parameters": math.inf}) is None


def test_every_state_but_waiting_is_final():
    assert [state for state in TrialState if not state.is_final] == [TrialState.WAITING]


def test_the_message_of_an_outcome_can_be_recorded_and_printed():
    outcome = Outcome(TrialState.ERROR, message="two\nlines \x1b[2J\0 \ud800")
    assert outcome.message == "two\nlines \ufffd[2J\ufffd \ufffd"
    long = Outcome(TrialState.ERROR, message="x" * 5_000_000).message
    assert long == "x" * 3997 + "..."
    assert Outcome(TrialState.ERROR, message=long).message == long


@pytest.mark.parametrize(
    "operators", [(), ("sample",), ("crossover", "add", "add"), ("seed ./a+b.yaml",)]
)
def test_operators_come_back_from_their_text(operators):
    assert operators_of(Lineage(operators).operator) == operators


@pytest.mark.parametrize(
    ("operators", "error"),
    [("sample", TypeError), (["sample"], TypeError), (("a+b",), ValueError), (("",), ValueError)],
)
def test_operators_that_would_not_come_back_are_refused(operators, error):
    with pytest.raises(error, match="Received"):
        Lineage(operators)
