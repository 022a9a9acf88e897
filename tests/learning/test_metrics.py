"""The table of metrics: what it says, and that its formulas are scikit-learn's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sklearn

from evonas.learning import formulas
from evonas.learning.metrics import OF_PREDICTIONS, find_metric, scores
from evonas.learning.tasks import TASKS

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 50).astype(np.int32)
PROBABILITIES = RNG.dirichlet(np.ones(4), 50).astype(np.float32)
BINARY = (Y > 1).astype(np.int32)
OF_TWO = RNG.dirichlet(np.ones(2), 50).astype(np.float32)
QUANTITIES = RNG.normal(5, 3, 50)
GUESSES = (QUANTITIES + RNG.normal(0, 2, 50)).astype(np.float32)[:, np.newaxis]
WORDS = PROBABILITIES.argmax(axis=1)
LABELS = RNG.integers(0, 2, (50, 3)).astype(np.int32)
CHANCES = RNG.random((50, 3)).astype(np.float32)
SEVERAL = RNG.normal(5, 3, (50, 2)) * [1, 1000]
GUESSED = (SEVERAL + RNG.normal(0, 2, (50, 2))).astype(np.float32)

EXPECTED: dict[str, Callable[[], float]] = {
    "cross_entropy": lambda: sklearn.log_loss(Y, PROBABILITIES),
    "accuracy": lambda: sklearn.accuracy_score(Y, WORDS),
    "balanced_accuracy": lambda: sklearn.balanced_accuracy_score(Y, WORDS),
    "f1_macro": lambda: sklearn.f1_score(Y, WORDS, average="macro"),
    "auc": lambda: sklearn.roc_auc_score(Y, PROBABILITIES, multi_class="ovr"),
    "binary_cross_entropy": lambda: float(
        np.mean([sklearn.log_loss(LABELS[:, i], CHANCES[:, i].astype(float)) for i in range(3)])
    ),
    "label_accuracy": lambda: 1 - sklearn.hamming_loss(LABELS, CHANCES > 0.5),
    "exact_match": lambda: sklearn.accuracy_score(LABELS, CHANCES > 0.5),
    "label_f1": lambda: sklearn.f1_score(LABELS, CHANCES > 0.5, average="macro"),
    "label_auc": lambda: sklearn.roc_auc_score(LABELS, CHANCES),
    "squared_error": lambda: sklearn.mean_squared_error(QUANTITIES, GUESSES.astype(np.float64)),
    "absolute_error": lambda: sklearn.mean_absolute_error(QUANTITIES, GUESSES.astype(np.float64)),
    "rmse": lambda: sklearn.root_mean_squared_error(QUANTITIES, GUESSES.astype(np.float64)),
    "r2": lambda: sklearn.r2_score(QUANTITIES, GUESSES.astype(np.float64)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_formulas_are_those_of_scikit_learn(name: str) -> None:
    given = (Y, PROBABILITIES)
    if "error" in name or name in ("rmse", "r2"):
        given = (QUANTITIES, GUESSES)
    elif "label" in name or name in ("exact_match", "binary_cross_entropy"):
        given = (LABELS, CHANCES)
    # scikit-learn divides probabilities by their sum, which is 1 but for rounding.
    tolerance = 1e-7 if name == "cross_entropy" else 1e-12
    assert vars(formulas)[name](*given) == pytest.approx(EXPECTED[name](), rel=tolerance)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("squared_error", sklearn.mean_squared_error),
        ("absolute_error", sklearn.mean_absolute_error),
        ("rmse", sklearn.root_mean_squared_error),
        ("r2", sklearn.r2_score),
    ],
)
def test_several_targets_are_averaged_as_by_scikit_learn(
    name: str, formula: Callable[..., float]
) -> None:
    expected = formula(SEVERAL, GUESSED.astype(float))
    assert vars(formulas)[name](SEVERAL, GUESSED) == pytest.approx(expected, rel=1e-12)
    weights = RNG.random(50)
    expected = formula(SEVERAL, GUESSED.astype(float), sample_weight=weights)
    assert vars(formulas)[name](SEVERAL, GUESSED, weights) == pytest.approx(expected, rel=1e-12)


def test_the_loss_of_several_targets_is_ruled_by_none_of_them() -> None:
    scale = (3.0, 3000.0)
    task = TASKS["regression"]
    found = scores(task.metrics, SEVERAL, GUESSED, None, scale)
    of_each = [
        scores(task.metrics, SEVERAL[:, i], GUESSED[:, i])["loss"] / scale[i] ** 2 for i in (0, 1)
    ]
    assert found["loss"] == pytest.approx(np.mean(of_each))
    assert found["rmse"] == pytest.approx(formulas.rmse(SEVERAL, GUESSED))


def test_samples_of_no_weight_are_as_if_they_were_not_there() -> None:
    weights = (Y != 3).astype(float)
    kept = Y != 3
    metrics = TASKS["classification"].metrics
    assert scores(metrics, Y, PROBABILITIES, weights) == pytest.approx(
        scores(metrics, Y[kept], PROBABILITIES[kept])
    )


def test_a_label_that_is_always_the_same_has_no_area() -> None:
    labels = LABELS.copy()
    labels[:, 1] = 1
    others = sklearn.roc_auc_score(labels[:, [0, 2]], CHANCES[:, [0, 2]])
    assert formulas.label_auc(labels, CHANCES) == pytest.approx(others)
    assert math.isnan(formulas.label_auc(np.ones((4, 2), np.int32), CHANCES[:4, :2]))


def test_a_label_that_a_sigmoid_cannot_tell_from_sure_costs_what_keras_says() -> None:
    worst = formulas.binary_cross_entropy(np.array([[0]]), np.ones((1, 1), np.float32))
    assert worst == pytest.approx(-math.log(1e-7))


def test_the_area_under_the_curve_of_two_classes_is_that_of_the_second() -> None:
    assert formulas.auc(BINARY, OF_TWO) == sklearn.roc_auc_score(BINARY, OF_TWO[:, 1])


def test_classes_without_a_sample_are_no_error() -> None:
    few = Y < 2
    y, predictions = Y[few], PROBABILITIES[few]
    assert 0 < formulas.auc(y, predictions) < 1
    assert 0 <= formulas.balanced_accuracy(y, predictions) <= 1
    assert 0 <= formulas.f1_macro(y, predictions) <= 1
    assert math.isnan(formulas.auc(np.zeros(5, np.int32), OF_TWO[:5]))
    assert math.isnan(formulas.r2(QUANTITIES[:1], GUESSES[:1]))


def test_no_probability_counts_as_less_than_the_least_float() -> None:
    worst = formulas.cross_entropy(np.array([0]), np.array([[0.0, 1.0]], np.float32))
    assert worst == pytest.approx(87.3, abs=0.1)


def test_metrics_of_one_name_agree() -> None:
    for metric in OF_PREDICTIONS:
        same = find_metric(f"val_{metric.name}")
        assert same is not None
        assert (same.direction, same.bounds, same.unit) == (
            metric.direction,
            metric.bounds,
            metric.unit,
        )


def test_values_are_within_their_bounds() -> None:
    for name, given in (
        ("classification", (Y, PROBABILITIES)),
        ("regression", (QUANTITIES, GUESSES)),
        ("regression", (SEVERAL, GUESSED)),
        ("multilabel", (LABELS, CHANCES)),
    ):
        metrics = TASKS[name].metrics
        found = scores(metrics, *given)
        assert list(found) == [metric.name for metric in metrics]
        for metric in metrics:
            least, most = metric.bounds
            assert least <= found[metric.name] <= most
