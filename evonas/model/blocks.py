"""Ops that are one block of a known network for images each: residual blocks and inverted ones.

A block may halve the map (`stride: 2`). Sizes are rounded up, so a map of 1x1 stays 1x1, and any
number of blocks fits any image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import layers

from evonas.model.parts import Tensor, normalized, part, rank, regularizer

SQUEEZE = 4
"""How many times fewer channels there are between the two layers of squeeze-and-excitation."""
NARROWING = 4
"""How many times fewer channels the inner convolutions of a bottleneck have."""


@dataclass(frozen=True)
class Block:
    """The parameters that all blocks have.

    Attributes:
        filters: channels of the block's output.
        kernel_size: height and width of the kernels that are not 1x1.
        stride: number by which height and width are divided.
        squeeze_excitation: whether each channel is weighted by a look at the whole map (Hu et al.,
            2018).
        stochastic_depth: fraction of the samples of a batch that skip the block's branch in
            training (Huang et al., 2016). A block without a shortcut has no such branch.
        activation: Keras's name of the activation.
        kernel_initializer: Keras's name of the initializer of the convolutions.
        l1: factor of the sum of the absolute kernels of the convolutions, which is added to the
            training's loss.
        l2: the same for their squares.
    """

    filters: int
    kernel_size: int = 3
    stride: int = 1
    squeeze_excitation: bool = False
    stochastic_depth: float = 0.0
    activation: str = "relu"
    kernel_initializer: str = "glorot_uniform"
    l1: float = 0.0
    l2: float = 0.0

    def convolved(
        self, x: Tensor, filters: int, name: str, kernel_size: int = 1, stride: int = 1
    ) -> Tensor:
        """A convolution and batch normalization."""
        convolution = layers.Conv2D(
            filters,
            kernel_size,
            strides=stride,
            padding="same",
            # Batch normalization adds an offset of its own.
            use_bias=False,
            kernel_initializer=self.kernel_initializer,
            kernel_regularizer=regularizer(self.l1, self.l2),
            name=part(name, "conv2d"),
        )
        return normalized(convolution(x), name)

    def filtered(self, x: Tensor, name: str) -> Tensor:
        """A convolution of each channel for itself, with the block's stride, and normalization."""
        convolution = layers.DepthwiseConv2D(
            self.kernel_size,
            strides=self.stride,
            padding="same",
            use_bias=False,
            depthwise_initializer=self.kernel_initializer,
            depthwise_regularizer=regularizer(self.l1, self.l2),
            name=part(name, "depthwise_conv2d"),
        )
        return normalized(convolution(x), name)

    def activated(self, x: Tensor, name: str) -> Tensor:
        """The block's activation."""
        return layers.Activation(self.activation, name=part(name, "activation"))(x)

    def recalibrated(self, x: Tensor, name: str) -> Tensor:
        """Squeeze-and-excitation, if the block has it."""
        if not self.squeeze_excitation:
            return x
        channels = x.shape[-1]
        few = max(1, channels // SQUEEZE)
        pooling = layers.GlobalAveragePooling2D(keepdims=True, name=part(name, "squeeze"))
        reduction = layers.Dense(few, activation="relu", name=part(name, "excitation_1"))
        weights = layers.Dense(channels, activation="sigmoid", name=part(name, "excitation_2"))
        recalibration = layers.Multiply(name=part(name, "recalibration"))
        return recalibration([x, weights(reduction(pooling(x)))])

    def shortcut(self, x: Tensor, name: str) -> Tensor:
        """The block's input in the shape of its output.

        It is averaged before it is projected, so that no value is left out (He et al., 2019).
        """
        if self.stride > 1:
            pooling = layers.AveragePooling2D(
                self.stride,
                padding="same",
                name=part(name, "average_pooling"),
            )
            x = pooling(x)
        if x.shape[-1] == self.filters:
            return x
        return self.convolved(x, self.filters, name)

    def joined(self, branch: Tensor, x: Tensor, name: str) -> Tensor:
        """The end of a residual block: the branch beside the block's input, and the activation."""
        branch = self.recalibrated(branch, name)
        y = self.added(branch, self.shortcut(x, _at(name, "shortcut")), name)
        return self.activated(y, name)

    def added(self, branch: Tensor, shortcut: Tensor, name: str) -> Tensor:
        """The sum of branch and shortcut; in training, some samples skip the branch."""
        if self.stochastic_depth:
            # One draw for each sample. It owns its seed generator, as every dropout layer does.
            skipping = layers.Dropout(
                self.stochastic_depth,
                noise_shape=(None, 1, 1, 1),
                name=part(name, "stochastic_depth"),
            )
            branch = skipping(branch)
        return layers.Add(name=part(name, "add"))([branch, shortcut])


def residual(x: Tensor, *, filters: int, name: str = "", **block: Any) -> Tensor:
    """Two convolutions beside a shortcut: the basic block of ResNet (He et al., 2016).

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, height / stride, width / stride, filters), sizes rounded up.

    Raises:
        ValueError: `x` is no map.
    """
    given = _block("residual", x, filters, block)
    y = given.convolved(x, filters, _at(name, "1"), given.kernel_size, given.stride)
    y = given.activated(y, _at(name, "1"))
    y = given.convolved(y, filters, _at(name, "2"), given.kernel_size)
    return given.joined(y, x, name)


def bottleneck(x: Tensor, *, filters: int, name: str = "", **block: Any) -> Tensor:
    """A convolution between two of 1x1, beside a shortcut: ResNet's block for deep networks.

    It has a quarter of the channels inside, so it costs less than `residual` (He et al., 2016).

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, height / stride, width / stride, filters), sizes rounded up.

    Raises:
        ValueError: `x` is no map.
    """
    given = _block("bottleneck", x, filters, block)
    inner = max(1, filters // NARROWING)
    y = given.convolved(x, inner, _at(name, "1"))
    y = given.activated(y, _at(name, "1"))
    y = given.convolved(y, inner, _at(name, "2"), given.kernel_size, given.stride)
    y = given.activated(y, _at(name, "2"))
    y = given.convolved(y, filters, _at(name, "3"))
    return given.joined(y, x, name)


def inverted_residual(
    x: Tensor, *, filters: int, expansion: int = 6, name: str = "", **block: Any
) -> Tensor:
    """Wide inside and narrow outside: the block of MobileNetV2 and V3.

    The channels are multiplied, each is convolved for itself, and they are projected without an
    activation (Sandler et al., 2018; Howard et al., 2019). There is a shortcut only if the output
    has the shape of the input, as in the papers.

    Args:
        x: (batch, height, width, channels).
        expansion: how many times as many channels there are inside as in `x`.

    Returns:
        (batch, height / stride, width / stride, filters), sizes rounded up.

    Raises:
        ValueError: `x` is no map.
    """
    given = _block("inverted_residual", x, filters, block)
    y = x
    if expansion > 1:
        y = given.convolved(y, expansion * x.shape[-1], _at(name, "expansion"))
        y = given.activated(y, _at(name, "expansion"))
    y = given.filtered(y, _at(name, "depthwise"))
    y = given.activated(y, _at(name, "depthwise"))
    y = given.recalibrated(y, name)
    y = given.convolved(y, filters, _at(name, "projection"))
    if given.stride > 1 or x.shape[-1] != filters:
        return y
    return given.added(y, x, name)


def _at(name: str, place: str) -> str:
    """The prefix of the layers at a place of the block; empty if Keras chooses the names."""
    return part(name, place) or ""


def _block(op: str, x: Tensor, filters: int, given: Mapping[str, Any]) -> Block:
    if rank(x) != 3:
        raise ValueError(
            f"{op} takes a map, (height, width, channels). Received the shape {tuple(x.shape[1:])}."
        )
    return Block(filters, **given)
