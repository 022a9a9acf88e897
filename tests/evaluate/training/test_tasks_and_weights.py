"""The loop gives the numbers of Keras for several targets, for labels, and with weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.compiled_loop import fast_graphs
from evonas.evaluate.training.tensors import TensorCache, TrainingData, WholeSamples
from evonas.learning import formulas
from evonas.learning.interface import Interface
from evonas.randomness import generator
from tests.evaluate.training.networks import (
    CLASSES,
    FIVE,
    OPTIMIZERS,
    Given,
    bits,
    convnet,
    images,
    make,
    parted,
    rows,
)

layers = keras.layers

SCALE = (4.0, 4096.0)
TWO = Interface(FIVE, "regression", (), (3.0, 0.0), SCALE)
THREE_LABELS = Interface(FIVE, "multilabel", (0, 1, 2))


def epochs(samples: int, count: int = 2) -> list[Array]:
    return [generator(3, "order", epoch).permutation(samples) for epoch in range(count)]


def two_targets() -> Given:
    """Two targets of one size, except for their units."""
    given = rows()
    x = np.concatenate([given.x, given.validation_x])
    y = np.stack([x[:, 0] * 3 + 3, x[:, 1] * 3000], axis=1).astype(np.float64)
    return parted(x, y, 70)


def labels() -> Given:
    given = rows()
    x = np.concatenate([given.x, given.validation_x])
    return parted(x, (x[:, :3] > 0.3).astype(np.int32), 70)


def perceptron(outputs: int, activation: str, offset: Any = None, scale: Any = None) -> Any:
    inputs = keras.Input((5,))
    x = layers.Dense(8, activation="tanh")(inputs)
    x = layers.Dense(outputs, activation=activation)(x)
    if scale is not None:
        x = layers.Rescaling(scale, offset=offset)(x)
    return keras.Model(inputs, x)


def test_each_of_several_targets_is_trained_by_its_own_scale() -> None:
    def build() -> Any:
        return perceptron(2, "linear", [3.0, 0.0], list(SCALE))

    data = two_targets()
    model, trainer = make(build, data=data, interface=TWO)
    trainer.train(2)
    keras.utils.set_random_seed(3)
    fitted = build()
    mse = keras.losses.MeanSquaredError()
    fitted.compile(OPTIMIZERS["adam"](), lambda y, p: mse(y / SCALE, p / SCALE), jit_compile=False)
    with fast_graphs():
        for order in epochs(70):
            for start in range(0, 70, 16):
                batch = order[start : start + 16]
                fitted.train_on_batch(data.x[batch], data.y[batch].astype(np.float32))
    assert bits(model) == bits(fitted)
    row = trainer.history[-1]
    # Neither has the larger unit more of the loss, nor is the training loss in another unit.
    predicted = model.predict(data.validation_x, verbose=0).astype(float)
    errors = (predicted - data.validation_y) / SCALE
    assert row["val_loss"] == pytest.approx(np.square(errors).mean(), rel=1e-6)
    assert 0.2 < row["loss"] / row["val_loss"] < 5
    error = abs(predicted - data.validation_y).mean()
    assert row["val_mean_absolute_error"] == pytest.approx(error, rel=1e-6)


def test_labels_are_trained_and_scored_as_by_keras() -> None:
    data = labels()

    def build() -> Any:
        return perceptron(3, "sigmoid")

    model, trainer = make(build, data=data, interface=THREE_LABELS)
    trainer.train(2)
    keras.utils.set_random_seed(3)
    fitted = build()
    accuracy = keras.metrics.BinaryAccuracy(name="accuracy")
    fitted.compile(
        OPTIMIZERS["adam"](), "binary_crossentropy", metrics=[accuracy], jit_compile=False
    )
    losses = []
    with fast_graphs():
        for order in epochs(70):
            x, y = data.x[order], data.y[order]
            losses += fitted.fit(x, y, batch_size=16, shuffle=False, verbose=0).history["loss"]
    assert bits(model) == bits(fitted)
    assert [row["loss"] for row in trainer.history] == pytest.approx(losses, rel=1e-6)
    found = fitted.evaluate(data.validation_x, data.validation_y, verbose=0, return_dict=True)
    assert trainer.history[-1]["val_loss"] == pytest.approx(found["loss"], rel=1e-6)
    assert trainer.history[-1]["val_accuracy"] == pytest.approx(found["accuracy"], abs=1e-6)


def weighted(data: Given) -> tuple[TrainingData, Array, Array]:
    """The data with weights, of the training and of the validation samples."""
    rng = np.random.default_rng(1)
    of_train = rng.random(len(data.y)).astype(np.float32) * 3
    of_validation = rng.random(len(data.validation_y)).astype(np.float32)
    x, y, x_val, y_val = map(tf.constant, data)
    train = WholeSamples(x, y, tf.constant(of_train))
    validation = WholeSamples(x_val, y_val, tf.constant(of_validation))
    return TrainingData(train, validation), of_train, of_validation


def test_weights_are_those_of_fit() -> None:
    data = images()
    given, of_train, of_validation = weighted(data)

    def build() -> Any:
        # With penalties, the sums of the gradients are taken in another order: 3e-6 apart.
        return convnet(regularized=False)

    model, trainer = make(build, data=given, interface=CLASSES)
    trainer.train(2)
    keras.utils.set_random_seed(3)
    fitted = build()
    fitted.compile(OPTIMIZERS["adam"](), "sparse_categorical_crossentropy", jit_compile=False)
    losses = []
    with fast_graphs():
        for order in epochs(70):
            arrays = (data.x[order], data.y[order])
            losses += fitted.fit(
                *arrays, sample_weight=of_train[order], batch_size=16, shuffle=False, verbose=0
            ).history["loss"]
    assert bits(model) == bits(fitted)
    assert [row["loss"] for row in trainer.history] == pytest.approx(losses, rel=1e-6)
    predicted = model.predict(data.validation_x, verbose=0)
    scored = formulas.accuracy(data.validation_y, predicted, of_validation)
    assert trainer.history[-1]["val_accuracy"] == pytest.approx(scored, rel=1e-6)


@pytest.mark.full
def test_weights_of_ones_change_no_training_and_weights_multiply() -> None:
    data = images()
    plain, trainer = make(convnet, data=data)
    trainer.train(1)
    train = data.whole().train.weighted(np.ones(70))
    same, other = make(convnet, data=TrainingData(train, data.whole().validation))
    other.train(1)
    for ours, theirs in zip(plain.get_weights(), same.get_weights(), strict=True):
        # Another kernel takes the gradient.
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    twice = train.weighted(np.full(70, 2.0)).weighted(np.full(70, 3.0))
    _, _, weights = twice.batch(tf.constant([0, 5]))
    assert weights.numpy().tolist() == [6.0, 6.0]


@pytest.mark.parametrize("most", [None, 0])
def test_weights_are_loaded_if_they_are_there(most: int | None, tmp_path: Any) -> None:
    data = rows()
    data.write(tmp_path)
    cache = TensorCache()
    assert cache.get(tmp_path, most).train.weights is None
    np.save(tmp_path / "data/weight_train.npy", np.arange(70, dtype=np.float32))
    found = cache.get(tmp_path, most)
    assert found.train.batch(tf.constant([7]))[2].numpy().tolist() == [7.0]
    assert found.validation.weights is None
