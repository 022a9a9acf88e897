"""What the ops share: names, ranks, regularizers, and the end of a layer that has weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

Tensor = Any
"""A symbolic Keras tensor, (batch, ...); Keras brings no types."""


STATISTICS_MOMENTUM = 0.9
"""Of batch normalization's moving statistics. Keras's own 0.99 needs several hundred batches before a network scores on
validation data what it does on training data; a trial has often no more, and would be judged by its start."""


def part(name: str, kind: str) -> str | None:
    """The name of one layer of an op, such as `features_0_dropout`; None lets Keras choose."""
    return f"{name}_{kind}" if name else None


def rank(x: Tensor) -> int:
    """The axes of one sample: 3 for an image's map, 2 for a sequence, 1 for a vector."""
    return len(x.shape) - 1


def regularizer(l1: float, l2: float) -> Any:
    """A penalty on weights; None where both are 0."""
    return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None


def normalized(x: Tensor, name: str) -> Tensor:
    """Batch normalization whose moving statistics follow within a trial."""
    return layers.BatchNormalization(
        momentum=STATISTICS_MOMENTUM, name=part(name, "batch_normalization")
    )(x)


def finished(
    x: Tensor, dropout_layer: Any, activation: str, normalize: bool, dropout: float, name: str
) -> Tensor:
    """What follows the weights: batch normalization with the activation behind it, where asked for, and dropout."""
    if normalize:
        x = normalized(x, name)
        x = layers.Activation(activation, name=part(name, "activation"))(x)
    return dropout_layer(dropout, name=part(name, "dropout"))(x) if dropout else x
