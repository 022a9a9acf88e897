"""The trainer gives the numbers of Keras, and the same ones when it is stopped and resumed.

On one thread they are the same bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.training import trainer as module
from evonas.evaluate.training.checkpoint import Array, load_state, save_state
from evonas.evaluate.training.learning_curve import CurveRule
from evonas.evaluate.training.scores import scores
from evonas.evaluate.training.tensors import TensorCache, TrainingData
from evonas.evaluate.training.trainer import Diverged, Trainer, fast_graphs
from evonas.learning.interface import Interface
from evonas.model import ops
from evonas.model.optimizers import scheduled
from evonas.randomness import generator
from evonas.trial import Objective

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

layers = keras.layers
Build = Callable[[], Any]

LOSS = Objective("val_loss", "min")
HOPELESS = CurveRule(incumbent=-1000.0, epochs=9, after=0.6, margin=1.0)
CLASSES = Interface("image", (6, 6), "classification", (0, 1, 2), (2.0,), (1.0,))
TARGETS = Interface(
    "vector", (5,), "regression", (), (0.0,) * 5, (1.0,) * 5, target_mean=3.0, target_scale=4.0
)

OPTIMIZERS: dict[str, Build] = {
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(scheduled(0.01, 45, "exponential", 0.1)),
    "cosine": lambda: keras.optimizers.SGD(scheduled(0.05, 45, "cosine"), momentum=0.9),
}


def images(samples: int = 70, validation: int = 30) -> TrainingData:
    """Bytes with a bright row, whose place is the class; 70 is no multiple of the batch size."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, samples + validation).astype(np.int32)
    x = rng.integers(0, 12, (samples + validation, 6, 6)).astype(np.uint8)
    x[np.arange(len(y)), 2 * y] += 4
    return TrainingData(*map(tf.constant, (x[:samples], y[:samples], x[samples:], y[samples:])))


def rows(factor: float = 1.0) -> TrainingData:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 5)).astype(np.float32)
    y = ((x[:, 0] * 3 + x[:, 1] ** 2 + 3) * factor).astype(np.float32)
    return TrainingData(*map(tf.constant, (x[:70], y[:70], x[70:], y[70:])))


def convnet(regularized: bool = True) -> Any:
    """All that keeps a state or adds to the loss: batch normalization, dropout, penalties."""
    penalty = keras.regularizers.L1L2(1e-4, 1e-3) if regularized else None
    activity = keras.regularizers.L2(1e-4) if regularized else None
    inputs = keras.Input((6, 6))
    x = layers.Reshape((6, 6, 1))(layers.Rescaling(0.1)(inputs))
    x = layers.Conv2D(
        4, 3, padding="same", kernel_regularizer=penalty, activity_regularizer=activity
    )(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(3, activation="softmax", kernel_regularizer=penalty)(x))


def recurrent() -> Any:
    """Dropout of inputs and of states, in both directions: each has a generator of its own."""
    x = inputs = keras.Input((6, 6))
    x = ops.gru(x, units=3, bidirectional=True, dropout=0.2, recurrent_dropout=0.3, l2=1e-3)
    x = ops.attention_pooling(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def perceptron(mean: float = 3.0, scale: float = 4.0) -> Any:
    inputs = keras.Input((5,))
    x = layers.Dense(1)(layers.Dense(8, activation="tanh")(inputs))
    return keras.Model(inputs, layers.Rescaling(scale, offset=mean)(x))


def make(
    build: Build = convnet,
    optimizer: str = "adam",
    data: TrainingData | None = None,
    interface: Interface = CLASSES,
    seed: int = 3,
    **options: Any,
) -> tuple[Any, Trainer]:
    keras.utils.set_random_seed(seed)
    model = build()
    options = {"batch_size": 16, "objective": LOSS, "fingerprint": {"seed": seed}, **options}
    trainer = Trainer(
        model, OPTIMIZERS[optimizer](), data or images(), interface, seed=seed, **options
    )
    return model, trainer


def bits(model: Any) -> list[bytes]:
    return [variable.value.numpy().tobytes() for variable in model.variables]


def epoch_order(seed: int, epoch: int, samples: int = 70) -> Array:
    return generator(seed, "order", epoch).permutation(samples)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
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
        lambda: perceptron(3.0 * 1024, 4.0 * 1024), data=rows(1024), interface=scaled
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
    error = (
        model.predict(data.validation_x, verbose=0)[:, 0].astype(float) - data.validation_y.numpy()
    )
    assert trainer.history[0]["val_loss"] == pytest.approx((error**2).mean(), rel=1e-6)
    assert trainer.history[0]["val_mean_absolute_error"] == pytest.approx(
        abs(error).mean(), rel=1e-6
    )


def test_predictions_are_scored_against_the_targets_as_they_were_given() -> None:
    # Around 1e6, 32-bit floats are 1/16 apart.
    offset = 1e6
    data = rows()
    x, y = data.validation_x, data.validation_y.numpy().astype(np.float64) / 32 + offset
    targets = tf.constant(data.y.numpy().astype(np.float64) / 32 + offset)
    exact = TrainingData(data.x, targets, x, tf.constant(y))
    model, trainer = make(lambda: perceptron(offset, 1 / 16), data=exact, interface=TARGETS)
    trainer.train(1)
    predictions = model.predict(x, verbose=0)
    error = abs(predictions[:, 0].astype(float) - y).mean()
    rounded = abs(predictions[:, 0].astype(float) - y.astype(np.float32)).mean()
    assert error != pytest.approx(rounded, rel=1e-3)
    assert trainer.history[0]["val_mean_absolute_error"] == pytest.approx(error, rel=1e-12)
    assert scores(TARGETS, y, predictions)["mean_absolute_error"] == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("size", [7, 256])
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


def test_a_long_epoch_is_cut_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, first = make()
    first.train(1)
    monkeypatch.setattr(module, "BATCHES_PER_CALL", 2)
    cut, second = make()
    calls = []
    second.train(1, on_call=lambda: calls.append(len(second.history)))
    assert bits(whole) == bits(cut)
    assert calls == [
        0,
        0,
        0,
    ]  # 70 samples, batches of 16, two batches a call: each call is told while the epoch goes on
    assert second.history[0]["loss"] == pytest.approx(first.history[0]["loss"], rel=1e-12)


def test_seeds_make_the_difference() -> None:
    assert np.array_equal(epoch_order(3, 0), epoch_order(3, 0))
    assert not np.array_equal(epoch_order(3, 0), epoch_order(3, 1))
    assert not np.array_equal(epoch_order(3, 0), epoch_order(4, 0))


RESUMED: list[tuple[Build, str, int | None]] = [
    *((convnet, "adam", patience) for patience in (None, 2)),
    *((convnet, optimizer, None) for optimizer in ("adamw", "rmsprop", "cosine")),
    (recurrent, "cosine", None),
]


@pytest.mark.parametrize(("build", "optimizer", "patience"), RESUMED)
def test_resumed_is_the_same_as_never_stopped(
    build: Build, optimizer: str, patience: int | None, tmp_path: Path
) -> None:
    accuracy = Objective("val_accuracy", "max")
    options: dict[str, Any] = {
        "build": build,
        "optimizer": optimizer,
        "patience": patience,
        "objective": accuracy,
    }
    model, trainer = make(**options)

    def keep(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == 3:
            save_state(tmp_path / "state.npz", trainer.state())

    trainer.train(9, keep)

    resumed, longer = make(**options)
    for variable in resumed.variables:  # nothing may come from the new model's own beginning
        variable.assign(variable.value + tf.cast(1, variable.dtype))
    longer.restore(load_state(tmp_path / "state.npz", {"seed": 3}))
    longer.train(9)

    assert len(trainer.history) == 9 if patience is None else 3 < len(trainer.history) < 9
    assert longer.history == trainer.history
    assert bits(resumed) == bits(model)
    assert all(
        np.array_equal(a, b) for a, b in zip(longer.best_weights, trainer.best_weights, strict=True)
    )
    assert len(longer.best_weights) == len(trainer.best_weights) == len(model.weights)


def test_a_finished_training_restored_has_nothing_to_do() -> None:
    _, trainer = make()
    trainer.train(2)
    model, again = make()
    again.restore(trainer.state())
    before = bits(model)
    again.train(2, lambda epoch, metrics: pytest.fail("an epoch was trained"))
    assert bits(model) == before
    assert again.best_epoch == trainer.best_epoch


def test_the_best_weights_are_restored_and_not_those_of_the_last_epoch() -> None:
    """A training that gets no better after its resume still ends with its best epoch."""
    _, trainer = make()
    trainer.train(2)
    state = trainer.state()
    # As if the first epoch had been the best by far, with weights that nobody else has.
    rows = [
        {**row, "val_loss": row["val_loss"] + number} for number, row in enumerate(state.history)
    ]
    best = [array + 1 for array in state.best]
    unbeaten = replace(state, history=[{**rows[0], "val_loss": -1.0}, rows[1]], best=best)
    model, resumed = make()
    resumed.restore(unbeaten)
    for epochs in (2, 3):
        resumed.train(epochs)
        assert resumed.best_epoch == 0
        for array, expected in zip(resumed.best_weights, best, strict=True):
            assert np.array_equal(array, expected)
        for array, variable in zip(resumed.best_weights, model.weights, strict=True):
            assert not np.array_equal(array, variable)


@pytest.mark.parametrize("group", ["model", "optimizer", "best"])
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(group: str) -> None:
    _, trainer = make()
    trainer.train(1)
    state = trainer.state()
    arrays = list(getattr(state, group))
    model, other = make()
    before = bits(model)
    for wrong in (
        arrays[:-1],
        [*arrays[:-1], np.zeros((9, 9), np.float32)],
        [*arrays[:-1], arrays[-1].astype(np.float16)],
    ):
        with pytest.raises(InvalidCheckpoint, match="does not fit"):
            other.restore(replace(state, **{group: wrong}))
    assert bits(model) == before
    assert other.history == []


def test_patience_ends_the_training_and_the_best_epoch_stays() -> None:
    model, trainer = make(convnet, "adam", patience=2)
    told: list[int] = []
    trainer.train(200, lambda epoch, metrics: told.append(epoch))
    assert told == list(range(1, len(trainer.history) + 1))
    assert len(told) < 200
    assert trainer.best_epoch == len(told) - 3
    assert trainer.is_exhausted
    model.set_weights(trainer.best_weights)
    probability = model.predict(images().validation_x, verbose=0)[
        np.arange(30), images().validation_y.numpy()
    ]
    best = trainer.history[trainer.best_epoch]["val_loss"]
    assert -np.log(probability.astype(float)).mean() == pytest.approx(best, rel=1e-6)
    assert best == min(row["val_loss"] for row in trainer.history)


def test_a_hopeless_training_is_stopped_and_the_best_epoch_stays() -> None:
    seen: list[int] = []
    _, full = make(data=rows(), build=perceptron, interface=TARGETS)
    full.train(9)
    _, trainer = make(data=rows(), build=perceptron, interface=TARGETS, curve=HOPELESS)
    trainer.train(9, lambda epoch, metrics: seen.append(epoch))
    assert trainer.stopped is not None
    assert seen == list(range(1, trainer.stopped.epoch + 1))
    assert trainer.stopped.epoch < 9
    assert trainer.history == full.history[: len(seen)]
    losses = [row["val_loss"] for row in trainer.history]
    assert losses[trainer.best_epoch] == min(losses) > trainer.stopped.at_best > HOPELESS.incumbent
    _, hopeful = make(
        data=rows(), build=perceptron, interface=TARGETS, curve=replace(HOPELESS, incumbent=1e9)
    )
    hopeful.train(9)
    assert hopeful.stopped is None
    assert hopeful.history == full.history


@pytest.mark.parametrize("cut", [3, 6])
def test_a_training_that_is_cut_is_stopped_at_the_same_epoch(cut: int, tmp_path: Path) -> None:
    """9 epochs are 3 and the rest: where the rule ends them, too, bit for bit."""
    options: dict[str, Any] = {
        "data": rows(),
        "build": perceptron,
        "interface": TARGETS,
        "curve": HOPELESS,
    }
    model, whole = make(**options)
    whole.train(9)
    assert whole.stopped is not None
    assert 3 < whole.stopped.epoch < 9
    _, first = make(**options)
    first.train(cut)
    save_state(tmp_path / "state.npz", first.state())
    resumed_model, resumed = make(**options)
    resumed.restore(load_state(tmp_path / "state.npz", {"seed": 3}))
    resumed.train(9)
    assert resumed.stopped == whole.stopped
    assert resumed.history == whole.history
    assert bits(resumed_model) == bits(model)


def test_a_loss_that_is_not_finite_ends_the_training_at_once() -> None:
    data = rows()
    order = epoch_order(3, 0)
    x = data.x.numpy()
    x[order[20]] = np.nan  # in the second batch
    _, trainer = make(perceptron, data=replace(data, x=tf.constant(x)), interface=TARGETS)
    with pytest.raises(Diverged, match="epoch 1"):
        trainer.train(5)
    assert trainer.history == []
    assert int(trainer.state().optimizer[0]) == 2  # the optimizer's steps


def test_weights_that_are_not_finite_are_found_in_the_validation() -> None:
    data = rows()
    _, trainer = make(
        perceptron, data=replace(data, validation_x=data.validation_x * math.nan), interface=TARGETS
    )
    with pytest.raises(Diverged, match="validation loss is nan in epoch 1"):
        trainer.train(5)
    assert trainer.history == []


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"val_loss, val_accuracy\. Received: 'val_mean_absolute_error'"
    ):
        make(objective=Objective("val_mean_absolute_error", "min"))
    with pytest.raises(ValueError, match="at least 1"):
        make(patience=0)
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        make()[1].train(0)


def test_the_graph_optimizer_is_as_before_after_a_training() -> None:
    options = tf.config.optimizer.get_experimental_options
    before = bool(options().get("disable_meta_optimizer", False))
    with fast_graphs():
        assert options()["disable_meta_optimizer"] is True
    assert bool(options().get("disable_meta_optimizer", False)) is before


def write_data(directory: Path, factor: int = 1) -> dict[str, Array]:
    arrays: dict[str, Array] = {
        "x_train": np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * factor,
        "y_train": np.array([0, 1], np.int32),
        "x_validation": np.asfortranarray(np.ones((3, 3, 4), np.float32)),
        "y_validation": np.array([1.5, 2.5, 3.5], np.float32),
    }
    (directory / "data").mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(directory / "data" / f"{name}.npy", array)
    return arrays


def test_data_are_loaded_once_in_their_own_types(tmp_path: Path) -> None:
    arrays = write_data(tmp_path)
    cache = TensorCache()
    data = cache.get(tmp_path)
    for tensor, array in zip(
        (data.x, data.y, data.validation_x, data.validation_y), arrays.values(), strict=True
    ):
        assert tensor.dtype.as_numpy_dtype == array.dtype
        assert np.array_equal(tensor.numpy(), array)
    assert data.samples == 2
    assert cache.get(tmp_path) is data


def test_data_that_have_changed_are_loaded_again(tmp_path: Path) -> None:
    write_data(tmp_path)
    cache = TensorCache()
    old = cache.get(tmp_path)
    (tmp_path / "data/x_train.npy").unlink()
    arrays = write_data(tmp_path, factor=2)
    assert np.array_equal(cache.get(tmp_path).x.numpy(), arrays["x_train"])
    assert old.x.numpy()[1, 0, 0] == 12  # what is mapped outlives its name
