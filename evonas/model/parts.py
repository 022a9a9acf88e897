"""What the ops share: names, ranks, and the style of a layer that has weights."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Style:
    """The parameters that all layers with weights have, but for the recurrent ones.

    Attributes:
        activation: Keras's name of the activation.
        batch_normalization: whether it comes between the weights and the activation.
        dropout: fraction that is dropped, at the end.
        kernel_initializer: Keras's name of the initializer.
        l1: factor of the sum of the absolute weights, which is added to the training's loss.
        l2: the same for their squares.
    """

    activation: str = "relu"
    batch_normalization: bool = False
    dropout: float = 0.0
    kernel_initializer: str = "glorot_uniform"
    l1: float = 0.0
    l2: float = 0.0

    def options(self, *kernels: str) -> dict[str, Any]:
        """The arguments of a Keras layer.

        Args:
            kernels: names of the layer's kernels.
        """
        # Batch normalization has an offset of its own, and the activation comes after it.
        found: dict[str, Any] = {
            "activation": None if self.batch_normalization else self.activation,
            "use_bias": not self.batch_normalization,
        }
        for kernel in kernels:
            found[f"{kernel}_initializer"] = self.kernel_initializer
            found[f"{kernel}_regularizer"] = regularizer(self.l1, self.l2)
        return found

    def finished(self, x: Tensor, dropout_layer: Any, name: str) -> Tensor:
        """What follows a layer's weights: batch normalization with the activation, and dropout.

        Args:
            dropout_layer: class of Keras's dropout layer.
            name: prefix for the names of the layers.
        """
        if self.batch_normalization:
            x = normalized(x, name)
            x = layers.Activation(self.activation, name=part(name, "activation"))(x)
        if self.dropout:
            x = dropout_layer(self.dropout, name=part(name, "dropout"))(x)
        return x
