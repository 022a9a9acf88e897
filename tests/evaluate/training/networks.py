"""Small networks and data on which the loop in TensorFlow is tested, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from evonas.data.prepared import FILES
from evonas.evaluate.training.augmentation import Augmentation
from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.compiled_loop import CompiledLoop
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.tensors import TrainingData, WholeSamples
from evonas.evaluate.training.trainer import Trainer
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model import ops
from evonas.model.optimizers import scheduled
from evonas.trial import Objective

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

layers = keras.layers
Build = Callable[[], Any]

LOSS = TrainingPolicy(Objective("val_loss", "min"))
CLASSES = Interface(
    InputSpec.normalized("image", (6, 6), (2.0,), (1.0,)), "classification", (0, 1, 2)
)
FIVE = InputSpec.normalized("vector", (5,), (0.0,) * 5, (1.0,) * 5)
TARGETS = Interface(FIVE, "regression", (), target_mean=3.0, target_scale=4.0)

OPTIMIZERS: dict[str, Build] = {
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(scheduled(0.01, 45, "exponential", 0.1)),
    "cosine": lambda: keras.optimizers.SGD(scheduled(0.05, 45, "cosine"), momentum=0.9),
}


class Given(NamedTuple):
    """What a training learns from and what it is judged by, as arrays."""

    x: Array
    y: Array
    validation_x: Array
    validation_y: Array

    def whole(self) -> TrainingData:
        x, y, validation_x, validation_y = map(tf.constant, self)
        return TrainingData(WholeSamples(x, y), WholeSamples(validation_x, validation_y))

    def write(self, directory: Path) -> None:
        """Write what the data of a run are."""
        (directory / "data").mkdir(exist_ok=True)
        names = (*FILES["train"], *FILES["validation"])
        for name, array in zip(names, self, strict=True):
            np.save(directory / name, array)


def parted(x: Array, y: Array, samples: int) -> Given:
    return Given(x[:samples], y[:samples], x[samples:], y[samples:])


def images(samples: int = 70, validation: int = 30) -> Given:
    """Bytes with a bright row, whose place is the class; 70 is no multiple of the batch size."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, samples + validation).astype(np.int32)
    x = rng.integers(0, 12, (samples + validation, 6, 6)).astype(np.uint8)
    x[np.arange(len(y)), 2 * y] += 4
    return parted(x, y, samples)


def rows(samples: int = 70, factor: float = 1.0) -> Given:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples + 20, 5)).astype(np.float32)
    y = ((x[:, 0] * 3 + x[:, 1] ** 2 + 3) * factor).astype(np.float32)
    return parted(x, y, samples)


def convnet(regularized: bool = True, size: int = 6, classes: int = 3) -> Any:
    """All that keeps a state or adds to the loss: batch normalization, dropout, penalties."""
    penalty = keras.regularizers.L1L2(1e-4, 1e-3) if regularized else None
    activity = keras.regularizers.L2(1e-4) if regularized else None
    inputs = keras.Input((size, size))
    x = layers.Reshape((size, size, 1))(layers.Rescaling(0.1)(inputs))
    x = layers.Conv2D(
        4, 3, padding="same", kernel_regularizer=penalty, activity_regularizer=activity
    )(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    head = layers.Dense(classes, activation="softmax", kernel_regularizer=penalty)
    return keras.Model(inputs, head(x))


def small() -> Any:
    """With batch normalization, which has weights that no optimizer averages, and a penalty."""
    inputs = keras.Input((6, 6))
    x = layers.BatchNormalization()(layers.Flatten()(layers.Rescaling(0.1)(inputs)))
    x = layers.Dense(8, activation="relu", kernel_regularizer="l2")(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


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


def make_loop(
    build: Build = convnet,
    optimizer: str = "adam",
    data: Given | TrainingData | None = None,
    interface: Interface = CLASSES,
    seed: int = 3,
    augmentation: Augmentation | None = None,
) -> tuple[Any, CompiledLoop]:
    """A model and its loop, with batches of 16."""
    keras.utils.set_random_seed(seed)
    model = build()
    data = data or images()
    whole = data.whole() if isinstance(data, Given) else data
    return model, CompiledLoop(
        model, OPTIMIZERS[optimizer](), whole, interface, 16, augmentation=augmentation
    )


def make(*args: Any, interface: Interface = CLASSES, **options: Any) -> tuple[Any, Trainer]:
    """A model and its training with seed 3."""
    model, loop = make_loop(*args, interface=interface, **options)
    return model, Trainer(loop, interface, LOSS, seed=3)


def bits(model: Any) -> list[bytes]:
    return [variable.value.numpy().tobytes() for variable in model.variables]
