from __future__ import annotations

import itertools

import pytest

from evonas.insight.axis import Measure, bottom, measure_of, round_values, ticks
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")


def test_the_objective_is_what_is_drawn(make_trial):
    trials = [
        make_trial(0, 0.5, val_accuracy=0.8),
        make_trial(1, 0.4, val_accuracy=0.7),
        make_trial(2, None),
    ]

    measure = measure_of(trials, LOSS)

    assert (measure.kind, measure.name) == ("log", "val_loss")
    assert measure.height(0.4) > measure.height(0.5)
    assert [measure.value(trial) for trial in trials] == [0.5, 0.4, None]


def test_a_perfect_accuracy_is_half_an_error_above_the_next(make_trial):
    trials = [make_trial(i, value, objective=ACCURACY) for i, value in enumerate((0.8, 1.0))]

    measure = measure_of(trials, ACCURACY)

    assert measure.floor == pytest.approx(0.1)
    assert measure.height(1.0) == measure.height(0.9)


@pytest.mark.parametrize(
    ("objective", "values", "extra", "kind"),
    [
        (LOSS, (0.5, 0.1), {}, "log"),
        (LOSS, (0.5, 0.0), {}, "linear"),
        (LOSS, (-5.0, 1.0), {}, "linear"),
        (LOSS, (0.5, 0.1), {"val_accuracy": 0.5}, "log"),
        (ACCURACY, (0.5, 0.9), {}, "accuracy"),
        (ACCURACY, (0.5, 1.5), {}, "linear"),
        (Objective("flops", "min"), (100.0, 10.0), {"val_accuracy": 0.9}, "log"),
        (Objective("reward", "max"), (-5.0, 2.0), {}, "linear"),
    ],
)
def test_the_kind_of_axis_follows_objective_and_values(make_trial, objective, values, extra, kind):
    trials = [make_trial(i, value, objective=objective, **extra) for i, value in enumerate(values)]

    assert measure_of(trials, objective).kind == kind


@pytest.mark.parametrize(
    ("measure", "better", "worse"),
    [
        (Measure("val_accuracy", "accuracy", "max", 0.001), 0.99, 0.9),
        (Measure("val_loss", "log", "min", 0.001), 0.01, 0.1),
        (Measure("x", "linear", "min"), -1.0, 3.0),
        (Measure("x", "linear", "max"), 3.0, -1.0),
    ],
)
def test_better_is_higher_and_ticks_keep_their_distance(measure, better, worse):
    low, high = measure.height(worse), measure.height(better)
    assert high > low

    found = ticks(measure, low, high, (high - low) / 8)

    assert 3 <= len(found) <= 9
    assert all(low - 1e-9 <= height <= high + 1e-9 for height, _ in found)
    assert all(b - a >= (high - low) / 8 - 1e-12 for (a, _), (b, _) in itertools.pairwise(found))


def test_ticks_are_round_and_true():
    measure = Measure("val_accuracy", "accuracy", "max", 0.0001)

    found = ticks(measure, measure.height(0.5), measure.height(0.999), 0.25)

    assert {label for _, label in found} >= {"50 %", "90 %", "99 %", "99.9 %"}
    for height, label in found:
        assert measure.height(float(label.removesuffix(" %")) / 100) == pytest.approx(height)


def test_a_narrow_axis_has_even_ticks():
    measure = Measure("val_accuracy", "accuracy", "max", 0.0001)

    labels = [
        label for _, label in ticks(measure, measure.height(0.931), measure.height(0.9342), 0.004)
    ]

    assert labels == ["93.1 %", "93.2 %", "93.3 %", "93.4 %"]


def test_perfect_accuracy_has_a_tick():
    measure = Measure("val_accuracy", "accuracy", "max", 0.01)

    assert ticks(measure, measure.height(0.5), measure.height(1.0), 0.1)[-1][1] == "100 %"


def test_labels_of_values_are_as_exact_as_the_error():
    measure = Measure("val_accuracy", "accuracy", "max", 0.0001)

    assert [measure.text(v) for v in (0.5, 0.986, 0.9933, 0.99954, 1.0)] == [
        "50.0 %",
        "98.6 %",
        "99.33 %",
        "99.954 %",
        "100 %",
    ]


def test_an_outlier_is_cut_but_not_the_winners_line():
    usual = [k / 100 for k in range(100)]

    assert bottom([*usual, -50.0], []) > -1
    assert bottom([*usual, -50.0], [-50.0]) == -50.0
    assert bottom(usual, []) == 0.0


def test_round_values_of_nothing():
    assert list(round_values(2.0, 2.0)) == [[(2.0, "2")]]
