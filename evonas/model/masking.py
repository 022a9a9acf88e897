"""Which steps of padded sequences are real, and what ops do so that padding changes no answer.

Sequences of different length are padded behind to one length. Keras's own masks get lost in
convolutions, and pooling mixes padding with real steps. So nothing here relies on masks that Keras
hands on: the builder of a network carries them along, and each op that mixes steps asks for its
mask. What padded steps hold is of no meaning, and no op lets it reach a real step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from evonas.model.parts import Tensor, named, part

LOWEST = -1e9
"""What padded steps hold where the largest value is looked for."""


@dataclass(frozen=True)
class Steps:
    """The real steps of one tensor (batch, steps, channels).

    Attributes:
        mask: (batch, steps), true for the real steps. They come first, and there is at least one.
        stride: how many steps of the network's input one step stands for.
    """

    mask: Tensor
    stride: int = 1

    def shortened(self, factor: int, name: str = "") -> Steps:
        """The same after an op that has made one step of each `factor` steps."""
        if factor == 1:
            return self
        return Steps(shortened(self.mask, factor, name), self.stride * factor)


class Masks:
    """The real steps of the tensors of one network; nothing is known of tensors without padding."""

    def __init__(self) -> None:
        # A tensor is kept beside its steps: otherwise another could get its number.
        self._known: dict[int, tuple[Tensor, Steps]] = {}

    def note(self, x: Tensor, steps: Steps | None) -> None:
        """Remember the steps of a tensor; a vector has none."""
        if steps is not None:
            self._known[id(x)] = (x, steps)

    def of(self, x: Tensor) -> Steps | None:
        """The steps of a tensor; None if all are real."""
        found = self._known.get(id(x))
        return None if found is None else found[1]


def first_is_real(mask: Tensor) -> Tensor:
    """The same mask, in which the first step is real.

    A sequence without any step would have no mean, no last step and no largest value. So it counts
    as one step of zeros, or an empty text as one padding token.
    """
    first = np.arange(mask.shape[1]) == 0
    return keras.ops.logical_or(mask, first)


def zeroed(x: Tensor, mask: Tensor | None, name: str = "") -> Tensor:
    """`x` (batch, steps, channels) with zeros in the padded steps; as it is without a mask."""
    return x if mask is None else filled(x, mask, 0.0, name, "zeroed")


def filled(x: Tensor, mask: Tensor, value: float, name: str, word: str = "filled") -> Tensor:
    """`x` with one value in the padded steps."""
    y = keras.ops.where(keras.ops.expand_dims(mask, -1), x, value)
    return named([x, mask], y, part(name, word))


def shortened(mask: Tensor, factor: int, name: str = "") -> Tensor:
    """The mask after windows of `factor` steps, the first of which begins at the first step.

    Real steps come first, so a window has a real step if its first one is real.
    """
    return named([mask], mask[:, ::factor], part(name, "mask"))


def max_pooled(x: Tensor, mask: Tensor, factor: int, name: str) -> Tensor:
    """The maximum of the real steps of each window: (batch, steps / factor rounded up, channels).

    Windows begin at the first step, so they do not depend on the length of the padding.
    """
    x = filled(x, mask, LOWEST, name)
    short = -x.shape[1] % factor
    if short:
        y = keras.ops.pad(x, ((0, 0), (0, short), (0, 0)), constant_values=LOWEST)
        x = named([x], y, part(name, "longer"))
    x = layers.MaxPooling1D(factor, name=part(name, "max_pooling"))(x)
    # Layer normalization of the lowest value is no finite number in its gradient.
    return zeroed(x, shortened(mask, factor, name), name)


def average_pooled(x: Tensor, mask: Tensor, factor: int, name: str) -> Tensor:
    """The mean of the real steps of each window; sizes as in `max_pooled`."""
    ones = keras.ops.cast(keras.ops.expand_dims(mask, -1), x.dtype)
    ones = named([mask], ones, part(name, "weights"))
    x = zeroed(x, mask, name)
    short = -x.shape[1] % factor
    if short:
        x = layers.ZeroPadding1D((0, short), name=part(name, "longer"))(x)
        ones = layers.ZeroPadding1D((0, short), name=part(name, "longer_weights"))(ones)
    sums = layers.AveragePooling1D(factor, name=part(name, "average_pooling"))(x)
    counts = layers.AveragePooling1D(factor, name=part(name, "real_share"))(ones)
    # A window without any real step has a sum of 0.
    y = keras.ops.divide(sums, keras.ops.maximum(counts, 0.5 / factor))
    return named([sums, counts], y, part(name, "mean"))


def aligned(x: Tensor, steps: Steps, like: Tensor, wanted: Steps, name: str) -> Tensor:
    """`x` with the steps of another tensor of the same network.

    Both come from one input. Windows are those of the strides, whatever the padded length is.
    """
    common = math.gcd(steps.stride, wanted.stride)
    repeats = steps.stride // common
    window = wanted.stride // common
    mask = steps.mask
    if repeats > 1:
        x = layers.UpSampling1D(repeats, name=part(name, "upsampling"))(x)
        mask = named([mask], keras.ops.repeat(mask, repeats, axis=1), part(name, "repeated"))
    if window > 1:
        x = average_pooled(x, mask, window, name)
    extra = x.shape[1] - like.shape[1]
    if extra:
        x = layers.Cropping1D((0, extra), name=part(name, "cropping"))(x)
    return x
