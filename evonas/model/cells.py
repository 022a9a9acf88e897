"""Ops for cells: they take two tensors of one shape and give a third of that shape."""

from __future__ import annotations

from keras import layers

from evonas.model.catalog import HALVES
from evonas.model.parts import Tensor, normalized, part


def pair(a: Tensor, b: Tensor, *, left: str, right: str, name: str = "") -> Tensor:
    """The block of NASNet's search space (Zoph et al., 2018).

    An operation on each of two inputs, and the sum of both results.

    Args:
        a, b: (batch, height, width, channels), of one shape.
        left: one of `evonas.model.catalog.HALVES`, for `a`.
        right: the same, for `b`.

    Returns:
        (batch, height, width, channels).
    """
    left_name = part(name, "left") or ""
    right_name = part(name, "right") or ""
    first = _half(a, left, left_name)
    second = _half(b, right, right_name)
    return layers.Add(name=part(name, "add"))([first, second])


def _half(x: Tensor, kind: str, name: str) -> Tensor:
    """One of the two operations; it keeps the shape."""
    if kind not in HALVES:
        raise ValueError(f"must be one of {', '.join(HALVES)}. Received: {kind!r}")
    if kind == "identity":
        return x
    # `separable_3x3` is the word `separable` and the size 3.
    word = kind.split("_")[0]
    size = int(kind[-1])
    if word in ("average", "max"):
        pooling = layers.AveragePooling2D if word == "average" else layers.MaxPooling2D
        layer = pooling(
            size,
            strides=1,
            padding="same",
            name=part(name, f"{word}_pooling"),
        )
        return layer(x)
    # The activation before the convolution and the normalization after it: NASNet's order.
    x = layers.ReLU(name=part(name, "relu"))(x)
    convolution = layers.SeparableConv2D if word == "separable" else layers.Conv2D
    layer = convolution(
        x.shape[-1],
        size,
        padding="same",
        # Batch normalization adds an offset of its own.
        use_bias=False,
        name=part(name, word),
    )
    y = layer(x)
    return normalized(y, name)
