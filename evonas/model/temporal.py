"""Blocks of convolutions over time: dilated ones with a shortcut, and several widths side by side.

Sequences are (batch, steps, channels). A block keeps the steps. With a mask, padded steps are zeros
before each convolution, so that real steps never see what padding holds.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from evonas.model.masking import LOWEST, filled, zeroed
from evonas.model.parts import Style, Tensor, part


def temporal_block(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    dilation_rate: int = 1,
    padding: str = "causal",
    name: str = "",
    mask: Tensor | None = None,
    **style: Any,
) -> Tensor:
    """Two dilated convolutions and a shortcut around them (Bai et al., 2018).

    The block of a temporal convolutional network, with batch normalization instead of weight
    normalization. Blocks whose dilation doubles see a past that grows as fast: with a kernel of 3,
    four blocks see 61 steps.

    Args:
        x: (batch, steps, channels).
        dilation_rate: distance of the steps that a kernel looks at.
        padding: `causal` if a step may see no later one, or `same`.
        mask: (batch, steps), true for the real steps, or None.

    Returns:
        (batch, steps, filters).
    """
    given = Style(**style)
    y = x
    for word in ("first", "second"):
        here = part(name, word) or ""
        convolution = layers.Conv1D(
            filters,
            kernel_size,
            padding=padding,
            dilation_rate=dilation_rate,
            name=part(here, "conv1d"),
            **given.options("kernel"),
        )
        y = convolution(zeroed(y, mask, here))
        y = given.finished(y, layers.SpatialDropout1D, here, mask)
    if x.shape[-1] != filters:
        x = layers.Dense(filters, name=part(name, "projection"))(x)
    y = layers.Add(name=part(name, "shortcut"))([x, y])
    return layers.Activation(given.activation, name=part(name, "activation"))(y)


def inception(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    name: str = "",
    mask: Tensor | None = None,
    **style: Any,
) -> Tensor:
    """Convolutions of several widths side by side (InceptionTime, Ismail Fawaz et al., 2020).

    The channels are first brought to `filters`. Then come three convolutions whose widths are
    halved from one to the next, and the maximum of three steps with a convolution of one step.

    Args:
        x: (batch, steps, channels).
        filters: channels of each of the four.
        kernel_size: the largest width, in steps.
        mask: (batch, steps), true for the real steps, or None.

    Returns:
        (batch, steps, 4 * filters).
    """
    given = Style(**style)
    options = given.options("kernel")
    # The activation comes once, behind all of them.
    options["activation"] = None

    def convolution(width: int, word: str) -> layers.Conv1D:
        return layers.Conv1D(filters, width, padding="same", name=part(name, word), **options)

    highest = x if mask is None else filled(x, mask, LOWEST, name)
    pooling = layers.MaxPooling1D(3, strides=1, padding="same", name=part(name, "max_pooling"))
    highest = zeroed(pooling(highest), mask, part(name, "highest") or "")
    narrow = x
    if x.shape[-1] > 1:
        narrow = layers.Dense(filters, use_bias=False, name=part(name, "bottleneck"))(x)
    narrow = zeroed(narrow, mask, name)
    widths = [max(1, kernel_size // divisor) for divisor in (1, 2, 4)]
    found = [convolution(width, f"conv1d_{number}")(narrow) for number, width in enumerate(widths)]
    found.append(convolution(1, "conv1d_of_maximum")(highest))
    y = layers.Concatenate(name=part(name, "branches"))(found)
    if not given.batch_normalization:
        y = layers.Activation(given.activation, name=part(name, "activation"))(y)
    return given.finished(y, layers.SpatialDropout1D, name, mask)
