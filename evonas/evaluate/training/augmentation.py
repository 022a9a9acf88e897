"""Augmentation: training images are changed at random on their way to the network.

The layers are no part of the model. So validation, metrics and the exported file know nothing of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from evonas.evaluate.training.tensors import Tensor
from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.model.augmenting import MIXING, augmentation_layers


class Augmentation:
    """Layers that a loop calls on each batch, or each part of one, before the network.

    Args:
        layers: Keras layers for maps, (batch, height, width, channels), in order.
        classes: number of classes if targets are class numbers, otherwise 0.
    """

    def __init__(self, layers: Sequence[Any] = (), classes: int = 0) -> None:
        self._layers = tuple(layers)
        self._classes = classes
        self.variables: list[keras.Variable] = []
        for layer in layers:
            self.variables += layer.variables

    @property
    def mixes_targets(self) -> bool:
        """Whether a batch's targets are mixtures: shares of the classes, no class numbers."""
        return any(isinstance(layer, MIXING) for layer in self._layers)

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """A batch as the network sees it; also while a function is traced.

        Args:
            x: (batch, height, width) or (batch, height, width, channels), floats.
            y: (batch,) or (batch, targets).

        Returns:
            `x` in its shape. `y` as it is; mixed ones are floats, (batch, classes or targets).
        """
        if not self._layers:
            return x, y
        shape = tf.shape(x)
        maps = x if x.shape.rank == 4 else x[..., tf.newaxis]
        # About the mean of each channel: whatever a layer fills with 0 is then neither dark nor
        # bright, whatever the range of the pixels is.
        mean = tf.reduce_mean(maps, axis=[0, 1, 2], keepdims=True)
        maps = maps - mean
        if self.mixes_targets:
            y = self._mixable(y)
        for layer in self._layers:
            if isinstance(layer, MIXING):
                both = layer({"images": maps, "labels": y}, training=True)
                maps, y = both["images"], both["labels"]
            else:
                maps = layer(maps, training=True)
        # A reshape forgets what is known of the shape before it runs.
        return tf.ensure_shape(tf.reshape(maps + mean, shape), x.shape), y

    def _mixable(self, y: Tensor) -> Tensor:
        if self._classes:
            return tf.one_hot(y, self._classes)
        y = tf.cast(y, tf.float32)
        return y if y.shape.rank == 2 else y[:, tf.newaxis]


def build_augmentation(
    space: SearchSpace, genome: Genome, interface: Interface, seed: int
) -> Augmentation:
    """What a genome's section `augmentation` asks for; nothing, if it is empty or missing.

    Args:
        seed: the training's seed.
    """
    classes = len(interface.classes) if interface.head.activation == "softmax" else 0
    return Augmentation(augmentation_layers(space, genome, seed), classes)
