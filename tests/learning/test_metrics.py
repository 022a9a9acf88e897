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

EXPECTED: dict[str, Callable[[], float]] = {
    "cross_entropy": lambda: sklearn.log_loss(Y, PROBABILITIES),
    "accuracy": lambda: sklearn.accuracy_score(Y, WORDS),
    "balanced_accuracy": lambda: sklearn.balanced_accuracy_score(Y, WORDS),
    "f1_macro": lambda: sklearn.f1_score(Y, WORDS, average="macro"),
    "auc": lambda: sklearn.roc_auc_score(Y, PROBABILITIES, multi_class="ovr"),
    "squared_error": lambda: sklearn.mean_squared_error(QUANTITIES, GUESSES.astype(np.float64)),
    "absolute_error": lambda: sklearn.mean_absolute_error(QUANTITIES, GUESSES.astype(np.float64)),
    "rmse": lambda: sklearn.root_mean_squared_error(QUANTITIES, GUESSES.astype(np.float64)),
    "r2": lambda: sklearn.r2_score(QUANTITIES, GUESSES.astype(np.float64)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_formulas_are_those_of_scikit_learn(name: str) -> None:
    given = (
        (QUANTITIES, GUESSES) if "error" in name or name in ("rmse", "r2") else (Y, PROBABILITIES)
    )
    # scikit-learn divides probabilities by their sum, which is 1 but for rounding.
    tolerance = 1e-7 if name == "cross_entropy" else 1e-12
    assert vars(formulas)[name](*given) == pytest.approx(EXPECTED[name](), rel=tolerance)


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
    ):
        metrics = TASKS[name].metrics
        found = scores(metrics, *given)
        assert list(found) == [metric.name for metric in metrics]
        for metric in metrics:
            least, most = metric.bounds
            assert least <= found[metric.name] <= most
