"""What every learning task promises."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from evonas.learning.metrics import scores
from evonas.learning.tasks import TASKS, LearningTask, guess_task

TARGETS: dict[str, Any] = {
    "classification": np.array(["b", "a", "c", "a", "b", "c"]),
    "multilabel": np.array([[0, 1], [1, 1], [0, 0], [1, 0], [1, 1], [0, 1]]),
    "regression": np.array([1.5, 2.5, -3.0, 4.0, 0.5, 7.0]),
    "several targets": np.arange(12.0).reshape(6, 2) ** 2,
    "forecasting": np.arange(18.0).reshape(6, 3),
}


@pytest.fixture(params=TARGETS)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def task(case: str) -> LearningTask:
    return TASKS.get(case, TASKS["regression"])


def test_every_task_is_tried() -> None:
    assert {*TASKS} < {*TARGETS}


def test_its_targets_are_good_and_look_like_it(task: LearningTask, case: str) -> None:
    y = TARGETS[case]
    assert task.issues({"y": y, "y_test": y[:2]}, "data.npz") == []
    assert task.notes(y) == []
    # That rows are in order of time cannot be seen.
    found = "several targets" if case == "forecasting" else case
    assert guess_task(y)[0] is TASKS.get(found, TASKS["regression"])
    assert bool(task.guess(y)) is (case != "forecasting")


def outputs_of(task: LearningTask, y: Any) -> int:
    return len(task.labels(y)) or y.size // len(y)


def test_targets_are_encoded_and_scored(task: LearningTask, case: str) -> None:
    y = TARGETS[case]
    labels = task.labels(y)
    encoded = task.encode(y, labels)
    head = task.head(outputs_of(task, y))
    constant = task.constant(encoded, head.units)
    assert constant.shape == (head.units,)
    predictions = np.broadcast_to(constant, (len(y), head.units))
    found = scores(task.metrics, encoded, predictions)
    assert np.isfinite(list(found.values())).all()
    strata = task.strata(encoded, labels)
    assert strata is None or len(strata.numbers) == len(y)


def test_weights_are_repeated_samples(task: LearningTask, case: str) -> None:
    y = TARGETS[case]
    encoded = task.encode(y, task.labels(y))
    outputs = outputs_of(task, y)
    weights = np.array([1, 3, 0, 2, 1, 2])
    repeated = np.repeat(np.arange(len(y)), weights)
    constant = task.constant(encoded, outputs, weights)
    np.testing.assert_allclose(constant, task.constant(encoded[repeated], outputs))
    predictions = np.random.default_rng(0).dirichlet(np.ones(outputs), len(y))
    found = scores(task.metrics, encoded, predictions, weights)
    assert found == pytest.approx(scores(task.metrics, encoded[repeated], predictions[repeated]))


def test_its_head_is_named_in_words_of_keras(task: LearningTask) -> None:
    head = task.head(3)
    assert keras.activations.get(head.activation)
    loss = getattr(keras.losses, head.loss)()
    assert loss.name == head.loss_name
    assert getattr(keras.metrics, head.metric)()
    y = task.examples(np.random.default_rng(0), 4, head.units)
    assert np.isfinite(loss(y, np.full((4, head.units), 0.25, np.float32)))


def test_combinations_of_labels_are_strata_if_they_are_frequent() -> None:
    task = TASKS["multilabel"]
    frequent = [[0, 1]] * 20 + [[1, 1]] * 12
    rows = np.array([*frequent, *[[0, 0]] * 7, *[[1, 0]] * 4])
    strata = task.strata(rows, np.arange(2))
    assert strata is not None
    assert strata.names == ("0 1", "1 1", "other combinations")
    assert np.bincount(strata.numbers).tolist() == [20, 12, 11]
    # Too few for a stratum, so that samples are drawn at random.
    assert task.strata(rows[:-4], np.arange(2)) is None
    assert task.strata(rows[32:], np.arange(2)) is None


def test_constant_labels_and_labels_that_exclude_each_other_are_told() -> None:
    task = TASKS["multilabel"]
    rows = np.array([[0, 1, 0], [1, 1, 0], [0, 1, 0]])
    (note,) = task.notes(rows)
    assert "columns 1 and 2 (counted from 0)" in note
    assert task.issues({"y": rows[:, 1:]}, "data.npz")
    (note,) = task.notes(np.eye(3, dtype=int))
    assert "exactly one label" in note


@pytest.mark.parametrize(
    ("task", "y", "words"),
    [
        ("classification", TARGETS["multilabel"], "`task: multilabel`"),
        ("classification", np.arange(6).reshape(3, 2), "Leave all columns out but one"),
        ("multilabel", np.array([0, 1, 1]), "for one label a sample, write `task: classification`"),
        ("multilabel", np.array([[0, 1], [1, 2]]), "Received: 2 at y[1, 1]"),
        ("regression", np.array([[1.0, 5.0], [2.0, 5.0]]), "only 5.0 in column 1"),
    ],
)
def test_targets_of_another_form_are_refused_with_advice(task: str, y: Any, words: str) -> None:
    (issue,) = TASKS[task].issues({"y": y}, "data.npz")
    assert words in str(issue)
