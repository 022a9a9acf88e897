"""What every learning task promises."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from evonas.learning.metrics import scores
from evonas.learning.tasks import TASKS, LearningTask

TARGETS: dict[str, Any] = {
    "classification": np.array(["b", "a", "c", "a", "b", "c"]),
    "regression": np.array([1.5, 2.5, -3.0, 4.0, 0.5, 7.0]),
}


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> LearningTask:
    return TASKS[request.param]


def test_its_targets_are_good_and_look_like_it(task: LearningTask) -> None:
    y = TARGETS[task.name]
    assert task.issues({"y": y, "y_test": y[:2]}, "data.npz") == []
    assert task.guess(y)


def test_targets_are_encoded_and_scored(task: LearningTask) -> None:
    y = TARGETS[task.name]
    labels = task.labels(y)
    encoded = task.encode(y, labels)
    head = task.head(len(labels))
    constant = task.constant(encoded, head.units)
    assert constant.shape == (head.units,)
    predictions = np.broadcast_to(constant, (len(y), head.units))
    found = scores(task.metrics, encoded, predictions)
    assert np.isfinite(list(found.values())).all()
    strata = task.strata(encoded)
    assert strata is None or len(strata) == len(y)


def test_its_head_is_named_in_words_of_keras(task: LearningTask) -> None:
    head = task.head(3)
    assert keras.activations.get(head.activation)
    loss = getattr(keras.losses, head.loss)()
    assert loss.name == head.loss_name
    assert getattr(keras.metrics, head.metric)()
    y = task.examples(np.random.default_rng(0), 4, head.units)
    assert np.isfinite(loss(y, np.full((4, head.units), 0.25, np.float32)))
