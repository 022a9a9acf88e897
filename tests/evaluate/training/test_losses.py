"""Named losses, losses of the user's and weights of classes train as in `model.fit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.errors import UserError
from evonas.evaluate.training.compiled_loop import CompiledLoop, fast_graphs
from evonas.evaluate.training.trainer import Trainer
from evonas.learning.interface import Interface
from evonas.learning.losses import power_of
from evonas.learning.recipe import weights_by_class
from evonas.model.losses import Goal, build_loss
from evonas.randomness import generator
from tests.evaluate.training.networks import (
    CLASSES,
    LOSS,
    TARGETS,
    bits,
    images,
    perceptron,
    rows,
    small,
)

MODULE = """
from keras import ops

def squared(y_true, y_pred):
    assert y_true.shape[1:] == y_pred.shape[1:] == (1,)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)

def of_classes(y_true, y_pred):
    assert y_true.dtype == "int32" and len(y_true.shape) == 1
    return -ops.log(ops.take_along_axis(y_pred, y_true[:, None], axis=-1)[:, 0])

def in_units(y_true, y_pred, *, scale):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1) * scale

def one_number(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))

def square(y_true, y_pred):
    return ops.square(y_true - y_pred)

def word(y_true, y_pred):
    return "7"
"""
NAMED = {"huber": keras.losses.Huber, "mean_absolute_error": keras.losses.MeanAbsoluteError}


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_losses.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_losses", raising=False)


def trained(name: str | None, interface: Interface = TARGETS, weights: Any = None) -> Any:
    """A network after one epoch, and its training."""
    keras.utils.set_random_seed(3)
    is_amount = interface is TARGETS
    model, given = (perceptron(), rows()) if is_amount else (small(), images())
    by_class = None
    if weights is not None:
        by_class = weights_by_class(weights, interface.classes, given.y)
    loss = build_loss(interface, name, plugins=["own_losses"])
    goal = Goal(loss, power_of(name, interface.head), by_class)
    optimizer = keras.optimizers.Adam(0.01)
    loop = CompiledLoop(model, optimizer, given.whole(), interface, 16, goal)
    trainer = Trainer(loop, interface, LOSS, seed=3)
    trainer.train(1)
    return model, trainer.history[0]


def fitted(build: Any, given: Any, loss: Any, **more: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = build()
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    order = generator(3, "order", 0).permutation(70)
    x, y = tf.gather(given.x, order), tf.gather(given.y, order)
    with fast_graphs():
        history = model.fit(x, y, 16, shuffle=False, verbose=0, **more)
    return model, history.history["loss"][0]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("huber", 1.0), pytest.param("mean_absolute_error", 4.0, marks=pytest.mark.full)],
)
def test_a_named_loss_of_quantities_is_that_of_scaled_targets(name: str, unit: float) -> None:
    model, row = trained(name)
    scaled = NAMED[name]()
    theirs, loss = fitted(perceptron, rows(), lambda y, p: scaled(y / 4.0, p / 4.0))
    assert bits(model) == bits(theirs)
    assert row["loss"] == pytest.approx(loss * unit, rel=1e-6)
    # What the training is judged by is as for any other loss.
    data = rows()
    errors = model.predict(data.validation_x, verbose=0)[:, 0].astype(float) - data.validation_y
    assert row["val_loss"] == pytest.approx((errors**2).mean(), rel=1e-6)


@pytest.mark.full
def test_a_focal_loss_gets_one_hot_rows() -> None:
    model, _ = trained("categorical_focal_crossentropy", CLASSES)
    data = images()
    rows = data._replace(y=keras.utils.to_categorical(data.y, 3))
    theirs, _ = fitted(small, rows, keras.losses.CategoricalFocalCrossentropy())
    assert bits(model) == bits(theirs)


def test_a_loss_of_the_users_is_what_it_computes() -> None:
    plain, _ = trained(None)
    assert bits(trained("own_losses:squared")[0]) == bits(plain)
    # Adam makes nearly the same steps for a loss times 4.
    _, ours = trained("own_losses:in_units")
    _, theirs = trained("mean_absolute_error")
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3)
    trained("own_losses:one_number")


@pytest.mark.parametrize(
    "name", [None, pytest.param("own_losses:of_classes", marks=pytest.mark.full)]
)
def test_weights_of_classes_are_those_of_fit(name: str | None) -> None:
    model, row = trained(name, CLASSES, {"0": 3.0, "2": 0.5})
    loss = "sparse_categorical_crossentropy"
    if name is not None:
        loss = build_loss(CLASSES, name, plugins=["own_losses"])
    theirs, total = fitted(small, images(), loss, class_weight={0: 3.0, 1: 1.0, 2: 0.5})
    for one, other in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert row["loss"] == pytest.approx(total, rel=1e-6)
    data = images()
    of_class = model.predict(data.validation_x, verbose=0)[np.arange(30), data.validation_y]
    assert row["val_loss"] == pytest.approx(-np.log(of_class).mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("square", r"must return one number for each sample, \(batch,\). Received: shape"),
        ("word", "Received: no tensor"),
        ("missing", "has no function 'missing'"),
    ],
)
def test_what_is_no_loss_names_the_function(name: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        trained(f"own_losses:{name}")
    assert f"own_losses:{name}" in str(caught.value)


def test_one_number_for_all_cannot_be_weighted() -> None:
    loss = build_loss(TARGETS, "own_losses:one_number", plugins=["own_losses"])
    y = np.ones((2, 1), np.float32)
    with pytest.raises(UserError, match="because samples have weights here"):
        loss(y, y, np.array([1.0, 2.0], np.float32))
    with pytest.raises(UserError, match="'own_losses' is not among the plugins: none"):
        build_loss(TARGETS, "own_losses:squared")
