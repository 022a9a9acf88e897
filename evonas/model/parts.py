"""What the ops share: names, ranks, and the style of a layer that has weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
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


def named(inputs: Sequence[Tensor], y: Tensor, label: str | None) -> Tensor:
    """`y`, with everything between the inputs and it named after a label.

    Operations that are no layers, and the layers of a user's op, have names of Keras's counters.
    These depend on what was built before.

    Args:
        inputs: tensors that `y` was made of.
        label: prefix of the names; None leaves them to Keras.
    """
    # An op may give back its input: there is nothing between then.
    if not label or any(y is x for x in inputs):
        return y
    # A gene of a dag may get one tensor twice.
    distinct = list({id(x): x for x in inputs}.values())
    ends = distinct if len(distinct) > 1 else distinct[0]
    seen: Counter[str] = Counter()
    for operation in keras.Function(ends, y).operations:
        # Keras has named it `dense_3`.
        kind = re.sub(r"_\d+$", "", operation.name)
        name = f"{label}_{kind}"
        if seen[kind]:
            name = f"{name}_{seen[kind]}"
        operation.name = name
        seen[kind] += 1
    return y


def regularizer(l1: float, l2: float) -> Any:
    """A penalty on weights, or None if both are 0."""
    if not l1 and not l2:
        return None
    return keras.regularizers.L1L2(l1, l2)


def normalized(x: Tensor, name: str, mask: Tensor | None = None) -> Tensor:
    """Batch normalization whose moving statistics follow within a trial.

    Args:
        mask: (batch, steps), true for the steps that are measured; None for all.
    """
    layer = layers.BatchNormalization(
        momentum=STATISTICS_MOMENTUM,
        name=part(name, "batch_normalization"),
    )
    return layer(x) if mask is None else layer(x, mask=mask)


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

    def finished(
        self, x: Tensor, dropout_layer: Any, name: str, mask: Tensor | None = None
    ) -> Tensor:
        """What follows a layer's weights: batch normalization with the activation, and dropout.

        Args:
            dropout_layer: class of Keras's dropout layer.
            name: prefix for the names of the layers.
            mask: (batch, steps), true for the real steps of a padded sequence, or None.
        """
        if self.batch_normalization:
            x = normalized(x, name, mask)
            x = layers.Activation(self.activation, name=part(name, "activation"))(x)
        if self.dropout:
            x = dropout_layer(self.dropout, name=part(name, "dropout"))(x)
        return x
