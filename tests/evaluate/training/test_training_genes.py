"""Each setting of a training trains as `model.fit` does, and continues as if it had never stopped.

On one thread the numbers are the same bit for bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.training.checkpoint import load_state, save_state
from evonas.evaluate.training.compiled_loop import CompiledLoop, fast_graphs
from evonas.evaluate.training.trainer import Trainer
from evonas.genome import Gene, Genome, parse_space
from evonas.model.losses import Goal, build_loss
from evonas.model.optimizers import build_optimizer, newer_settings
from evonas.randomness import generator
from tests.evaluate.training.networks import CLASSES, LOSS, bits, images, small

SPACE = """
space: genes
settings:
  optimizer:
    ops:
      lion: {learning_rate: 0.003, weight_decay: 0.1}
      adam: {learning_rate: 0.01, clip_norm: {choice: [0, 0.5]}, ema_momentum: {choice: [0, 0.75]}}
      sgd: {learning_rate: 0.05, warmup: 0.3, schedule: {choice: [constant, cosine, exponential]}}
  training: {ops: {training: {batch_size: 16, label_smoothing: {choice: [0.0, 0.2]}}}}
"""
OPTIMIZERS: dict[str, Gene] = {
    "lion": Gene.make("lion", {}),
    "averaged": Gene.make("adam", {"clip_norm": 0.5, "ema_momentum": 0.75}),
    "warm": Gene.make("sgd", {"schedule": "exponential"}),
}


def optimizer_of(gene: Gene) -> Any:
    # One epoch has 5 steps: the warm-up ends within the first one.
    return build_optimizer(parse_space(SPACE, "genes.yaml"), genome(gene), steps=10)


def genome(gene: Gene, smoothing: float = 0.0) -> Genome:
    training = Gene.make("training", {"label_smoothing": smoothing})
    return Genome((("optimizer", (gene,)), ("training", (training,))))


def make(gene: Gene, smoothing: float = 0.0) -> tuple[Any, Trainer]:
    keras.utils.set_random_seed(3)
    model = small()
    loss = build_loss(CLASSES, label_smoothing=smoothing)
    loop = CompiledLoop(model, optimizer_of(gene), images().whole(), CLASSES, 16, Goal(loss))
    return model, Trainer(loop, CLASSES, LOSS, seed=3)


def fitted(gene: Gene, loss: Any, y: Any) -> tuple[Any, float]:
    """A model after one epoch of `fit`, and its loss."""
    keras.utils.set_random_seed(3)
    model, data = small(), images()
    model.compile(optimizer_of(gene), loss, jit_compile=False)
    order = generator(3, "order", 0).permutation(70)
    with fast_graphs():
        history = model.fit(
            tf.gather(data.x, order), tf.gather(y, order), 16, shuffle=False, verbose=0
        )
    return model, history.history["loss"][0]


@pytest.mark.parametrize(
    "name",
    ["averaged", *(pytest.param(name, marks=pytest.mark.full) for name in ("lion", "warm"))],
)
def test_an_optimizer_trains_as_in_fit(name: str) -> None:
    model, trainer = make(OPTIMIZERS[name])
    trainer.train(1)
    data = images()
    theirs, loss = fitted(OPTIMIZERS[name], "sparse_categorical_crossentropy", data.y)
    # At its end, `fit` puts the averages in the place of the weights.
    found = [array.tobytes() for array in trainer.best_weights]
    assert found == [array.tobytes() for array in theirs.get_weights()]
    assert trainer.history[0]["loss"] == pytest.approx(loss, rel=1e-6)
    predictions = theirs.predict(data.validation_x, verbose=0)
    of_class = predictions[np.arange(30), data.validation_y]
    assert trainer.history[0]["val_loss"] == pytest.approx(-np.log(of_class).mean(), rel=1e-6)
    is_averaged = OPTIMIZERS[name].parameters.get("ema_momentum", 0.0) > 0
    assert (bits(model) != bits(theirs)) is is_averaged


@pytest.mark.full
def test_smoothed_labels_train_as_in_fit() -> None:
    lion = OPTIMIZERS["lion"]
    model, trainer = make(lion, smoothing=0.2)
    trainer.train(1)
    data = images()
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    theirs, _ = fitted(lion, loss, keras.utils.to_categorical(data.y, 3))
    assert bits(model) == bits(theirs)
    # What the training is judged by knows nothing of it.
    predictions = model.predict(data.validation_x, verbose=0)
    of_class = predictions[np.arange(30), data.validation_y]
    assert trainer.history[0]["val_loss"] == pytest.approx(-np.log(of_class).mean(), rel=1e-6)


def test_rows_of_probabilities_are_what_their_classes_are() -> None:
    y = np.array([0, 2, 1])
    p = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]], np.float32)
    loss = build_loss(CLASSES, label_smoothing=0.25)
    assert float(loss(y, p)) == float(loss(keras.utils.to_categorical(y, 3), p))


@pytest.mark.parametrize("name", ["averaged", pytest.param("warm", marks=pytest.mark.full)])
def test_resumed_is_the_same_as_never_stopped(name: str, tmp_path: Path) -> None:
    model, whole = make(OPTIMIZERS[name], smoothing=0.2)
    whole.train(3)
    _, first = make(OPTIMIZERS[name], smoothing=0.2)
    first.train(1)
    save_state(tmp_path / "state.npz", first.state())
    resumed, rest = make(OPTIMIZERS[name], smoothing=0.2)
    rest.restore(load_state(tmp_path / "state.npz", {}))
    rest.train(3)
    assert rest.history == whole.history
    assert bits(resumed) == bits(model)
    best = [[array.tobytes() for array in one.best_weights] for one in (rest, whole)]
    assert best[0] == best[1]


def test_a_checkpoint_knows_what_is_used_and_nothing_else() -> None:
    space = parse_space(SPACE, "genes.yaml")
    assert newer_settings(space, genome(OPTIMIZERS["lion"])) == {}
    used = newer_settings(space, genome(OPTIMIZERS["averaged"], smoothing=0.2))
    assert used == {"clip_norm": 0.5, "ema_momentum": 0.75, "label_smoothing": 0.2}
    assert newer_settings(space, genome(OPTIMIZERS["warm"])) == {"warmup": 0.3}
