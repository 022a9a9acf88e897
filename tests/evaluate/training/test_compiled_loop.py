"""The loop in TensorFlow gives the numbers of Keras.

On one thread they are the same bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.training import compiled_loop as module
from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.compiled_loop import fast_graphs
from evonas.learning.formulas import absolute_error
from evonas.randomness import generator
from tests.evaluate.training.networks import (
    OPTIMIZERS,
    TARGETS,
    Given,
    bits,
    convnet,
    images,
    make,
    make_loop,
    perceptron,
    rows,
)
from tests.slow import few


def epoch_order(seed: int, epoch: int, samples: int = 70) -> Array:
    return generator(seed, "order", epoch).permutation(samples)


@pytest.mark.parametrize("optimizer", few(OPTIMIZERS, "adam", "nesterov"))
def test_training_is_that_of_fit(optimizer: str) -> None:
    model, trainer = make(optimizer=optimizer)
    trainer.train(2)

    keras.utils.set_random_seed(3)
    fitted, data = convnet(), images()
    fitted.compile(OPTIMIZERS[optimizer](), "sparse_categorical_crossentropy", jit_compile=False)
    losses = []
    with fast_graphs():
        for epoch in range(2):
            x, y = (tf.gather(array, epoch_order(3, epoch)) for array in (data.x, data.y))
            losses += fitted.fit(x, y, batch_size=16, shuffle=False, verbose=0).history["loss"]

    assert bits(model) == bits(fitted)
    assert [row["loss"] for row in trainer.history] == pytest.approx(losses, rel=1e-6)


def test_training_is_that_of_train_on_batch_for_targets_divided_by_their_scale() -> None:
    model, trainer = make(perceptron, data=rows(), interface=TARGETS)
    trainer.train(2)

    keras.utils.set_random_seed(3)
    fitted, data = perceptron(), rows()
    mse = keras.losses.MeanSquaredError()
    fitted.compile(OPTIMIZERS["adam"](), lambda y, p: mse(y / 4.0, p / 4.0), jit_compile=False)
    with fast_graphs():
        for epoch in range(2):
            order = epoch_order(3, epoch)
            for start in range(0, 70, 16):
                batch = order[start : start + 16]
                fitted.train_on_batch(tf.gather(data.x, batch), tf.gather(data.y, batch))
    assert bits(model) == bits(fitted)


def test_a_scale_of_the_targets_changes_nothing_but_the_units() -> None:
    small, first = make(perceptron, data=rows(), interface=TARGETS)
    first.train(3)
    scaled = replace(TARGETS, target_mean=3.0 * 1024, target_scale=4.0 * 1024)
    large, second = make(
        lambda: perceptron(3.0 * 1024, 4.0 * 1024), data=rows(factor=1024), interface=scaled
    )
    second.train(3)
    for ours, theirs in zip(small.trainable_variables, large.trainable_variables, strict=True):
        assert np.array_equal(ours, theirs)
    for a, b in zip(first.history, second.history, strict=True):
        assert b["loss"] == pytest.approx(a["loss"] * 1024**2, rel=1e-12)
        assert b["val_loss"] == pytest.approx(a["val_loss"] * 1024**2, rel=1e-12)
        assert b["val_mean_absolute_error"] == pytest.approx(
            a["val_mean_absolute_error"] * 1024, rel=1e-12
        )


def test_validation_of_targets_is_in_their_units() -> None:
    model, trainer = make(perceptron, data=rows(), interface=TARGETS)
    trainer.train(1)
    data = rows()
    error = model.predict(data.validation_x, verbose=0)[:, 0].astype(float) - data.validation_y
    assert trainer.history[0]["val_loss"] == pytest.approx((error**2).mean(), rel=1e-6)
    assert trainer.history[0]["val_mean_absolute_error"] == pytest.approx(
        abs(error).mean(), rel=1e-6
    )


def test_predictions_are_scored_against_the_targets_as_they_were_given() -> None:
    # Around 1e6, 32-bit floats are 1/16 apart.
    offset = 1e6
    data = rows()
    x, y = data.validation_x, data.validation_y.astype(np.float64) / 32 + offset
    targets = data.y.astype(np.float64) / 32 + offset
    exact = Given(data.x, targets, x, y)
    model, trainer = make(lambda: perceptron(offset, 1 / 16), data=exact, interface=TARGETS)
    trainer.train(1)
    predictions = model.predict(x, verbose=0)
    error = abs(predictions[:, 0].astype(float) - y).mean()
    rounded = abs(predictions[:, 0].astype(float) - y.astype(np.float32)).mean()
    assert error != pytest.approx(rounded, rel=1e-3)
    assert trainer.history[0]["val_mean_absolute_error"] == pytest.approx(error, rel=1e-12)
    assert absolute_error(y, predictions) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("size", few([7, 256], 7))
def test_validation_is_what_keras_evaluates_without_regularization(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VALIDATION_BATCH", size)
    model, trainer = make()
    trainer.train(2)
    plain, data = convnet(regularized=False), images()
    plain.set_weights(model.get_weights())
    evaluated = []
    for judged in (plain, model):
        judged.compile(
            loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
        )
        evaluated.append(
            judged.evaluate(data.validation_x, data.validation_y, verbose=0, return_dict=True)
        )
    assert trainer.history[-1]["val_loss"] == pytest.approx(evaluated[0]["loss"], rel=1e-6)
    assert trainer.history[-1]["val_accuracy"] == pytest.approx(evaluated[0]["accuracy"], abs=1e-6)
    assert (
        evaluated[1]["loss"] > evaluated[0]["loss"] + 1e-3
    )  # what `evaluate` says of the regularized model


def test_a_loss_that_is_not_finite_ends_a_run_at_once() -> None:
    data = rows()
    x = data.x.copy()
    x[20] = np.nan  # in the second batch
    _, loop = make_loop(perceptron, data=data._replace(x=x), interface=TARGETS)
    _, last = loop.run(np.arange(70, dtype=np.int32))
    assert np.isnan(last)
    assert int(loop.optimizer_state()[0]) == 2  # the optimizer's steps


def test_the_graph_optimizer_is_as_before_after_a_training() -> None:
    options = tf.config.optimizer.get_experimental_options
    before = bool(options().get("disable_meta_optimizer", False))
    with fast_graphs():
        assert options()["disable_meta_optimizer"] is True
    assert bool(options().get("disable_meta_optimizer", False)) is before
