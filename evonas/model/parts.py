"""What the ops share: names, ranks, regularizers, and the end of a layer that has weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

Tensor = Any
"""A symbolic Keras tensor, (batch, ...); Keras brings no types."""


# Keras's own 0.99 needs several hundred batches before a network scores on validation data what it
# does on training data. A trial often has no more batches, and would be judged by its start.
STATISTICS_MOMENTUM = 0.9
"""The momentum of batch normalization's moving statistics."""


def part(name: str, kind: str) -> str | None:
    """The name of one layer of an op, such as `features_0_dropout`; None lets Keras choose."""
    if not name:
        return None
    return f"{name}_{kind}"


def rank(x: Tensor) -> int:
    """The axes of one sample: 3 for an image's map, 2 for a sequence, 1 for a vector."""
    # The first axis is that of the batch.
    return len(x.shape) - 1


def regularizer(l1: float, l2: float) -> Any:
    """A penalty on weights, or None if both are 0."""
    if not l1 and not l2:
        return None
    return keras.regularizers.L1L2(l1, l2)


def normalized(x: Tensor, name: str) -> Tensor:
    """Batch normalization whose moving statistics follow within a trial."""
    layer = layers.BatchNormalization(
        momentum=STATISTICS_MOMENTUM,
        name=part(name, "batch_normalization"),
    )
    return layer(x)


def finished(
    x: Tensor,
    dropout_layer: Any,
    activation: str,
    normalize: bool,
    dropout: float,
    name: str,
) -> Tensor:
    """What follows a layer's weights.

    Batch normalization comes first, with the activation behind it, and then dropout; each only if
    the op asks for it.
    """
    if normalize:
        x = normalized(x, name)
        x = layers.Activation(activation, name=part(name, "activation"))(x)
    if dropout:
        x = dropout_layer(dropout, name=part(name, "dropout"))(x)
    return x
