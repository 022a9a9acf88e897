"""Ops for cells: they take two tensors of one shape and give a third of that shape."""

from __future__ import annotations

from keras import layers

from evonas.model.catalog import HALVES
from evonas.model.parts import Tensor, normalized, part


def pair(a: Tensor, b: Tensor, *, left: str, right: str, name: str = "") -> Tensor:
    """The block of NASNet's search space: an operation on each of two inputs, and the sum (Zoph et al., 2018).

    Args:
        a, b: (batch, height, width, channels), of one shape.
        left: one of `evonas.model.catalog.HALVES`, for `a`.
        right: the same, for `b`.

    Returns:
        (batch, height, width, channels).
    """
    first, second = (
        _half(a, left, part(name, "left") or ""),
        _half(b, right, part(name, "right") or ""),
    )
    return layers.Add(name=part(name, "add"))([first, second])


def _half(x: Tensor, kind: str, name: str) -> Tensor:
    if kind not in HALVES:
        raise ValueError(f"must be one of {', '.join(HALVES)}. Received: {kind!r}")
    if kind == "identity":
        return x
    word, size = kind.split("_")[0], int(kind[-1])
    if word in ("average", "max"):
        pooling = layers.AveragePooling2D if word == "average" else layers.MaxPooling2D
        return pooling(size, strides=1, padding="same", name=part(name, f"{word}_pooling"))(x)
    x = layers.ReLU(name=part(name, "relu"))(x)
    convolution = layers.SeparableConv2D if word == "separable" else layers.Conv2D
    y = convolution(x.shape[-1], size, padding="same", use_bias=False, name=part(name, word))(x)
    return normalized(y, name)
