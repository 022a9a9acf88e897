"""What is scored without looking at a sample, against scikit-learn's dummies."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error

from evonas.evaluate.training.baseline import baseline
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface

RNG = np.random.default_rng(0)


def interface(task: str, classes: tuple[int, ...] = ()) -> Interface:
    return Interface(InputSpec.normalized("vector", (1,), (0.0,), (1.0,)), task, classes)


def test_quantities_are_predicted_by_the_mean_of_the_training_targets() -> None:
    train, validation, test = RNG.normal(1e6, 3, 50), RNG.normal(1e6, 3, 20), RNG.normal(0, 1, 9)
    ends = interface("regression")
    found = baseline(ends, ends.learning_task.standard, train, {"val": validation, "test": test})
    dummy = DummyRegressor().fit(np.zeros((50, 1)), train)
    for part, y in (("val", validation), ("test", test)):
        predicted = dummy.predict(np.zeros((len(y), 1)))
        assert found.pop(f"{part}_loss") == pytest.approx(mean_squared_error(y, predicted))
        error = found.pop(f"{part}_mean_absolute_error")
        assert error == pytest.approx(mean_absolute_error(y, predicted))
    assert not found


def test_classes_are_predicted_by_their_shares_in_the_training_targets() -> None:
    train = RNG.choice(3, 50, p=[0.2, 0.5, 0.3]).astype(np.int32)
    test = RNG.choice(3, 20).astype(np.int32)
    ends = interface("classification", (0, 1, 2))
    found = baseline(ends, ends.learning_task.standard, train, {"test": test})
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((50, 1)), train)
    x = np.zeros((20, 1))
    assert found == pytest.approx(
        {
            "test_loss": log_loss(test, dummy.predict_proba(x)),
            "test_accuracy": dummy.score(x, test),
        }
    )
