"""How several inputs of a gene become one tensor: skips get the main input's shape, then merge."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keras import layers

from evonas.model.parts import Tensor, part, rank


def merge(main: Tensor, skips: Sequence[Tensor], how: str, name: str = "") -> Tensor:
    """One tensor from a main input and skips.

    Args:
        main: (batch, ..., channels); the result has its height and width (or steps).
        skips: any shapes; they are resized by pooling, and for `add` projected to the main input's
            channels.
        how: `add` keeps the main input's channels, `concat` has the channels of all.
        name: a prefix for the names of the layers.
    """
    if not skips:
        return main
    names = [f"{name}_skip_{k}" if name else "" for k in range(len(skips))]
    fitted = []
    for skip, skip_name in zip(skips, names, strict=True):
        fitted.append(fit_size(skip, main, skip_name))
    if how == "concat":
        return layers.Concatenate(name=part(name, "concat"))([main, *fitted])
    if how != "add":
        raise ValueError(f"merge must be 'add' or 'concat'. Received: {how!r}")
    channels = main.shape[-1]
    # `Concatenate` takes any number of channels, but `Add` needs equal shapes.
    added = [main]
    for skip, skip_name in zip(fitted, names, strict=True):
        added.append(project(skip, channels, skip_name))
    return layers.Add(name=part(name, "add"))(added)


def fit(x: Tensor, like: Tensor, name: str = "") -> Tensor:
    """`x` in the shape of `like`: resized, then projected."""
    channels = like.shape[-1]
    resized = fit_size(x, like, name)
    return project(resized, channels, name)


def fit_size(x: Tensor, like: Tensor, name: str = "") -> Tensor:
    """`x` with the rank, height and width (or steps) of `like`; its channels stay."""
    if rank(like) == 1 and rank(x) > 1:
        kinds = {3: layers.GlobalAveragePooling2D, 2: layers.GlobalAveragePooling1D}
        pooling = kinds[rank(x)]
        return pooling(name=part(name, "global_average"))(x)
    if rank(x) != rank(like):
        raise ValueError(
            f"a skip of shape {x.shape[1:]} cannot be brought to the shape {like.shape[1:]}."
        )
    size = tuple(like.shape[1:-1])
    return resize(x, size, name)


def resize(x: Tensor, size: tuple[int, ...], name: str = "") -> Tensor:
    """`x` with exactly this height and width (or steps).

    It is repeated if it is too small, and then averaged over windows.
    """
    have = tuple(x.shape[1:-1])
    factors = []
    for length, target in zip(have, size, strict=True):
        factors.append(math.ceil(target / length))
    # A vector has neither height nor steps, hence no factor.
    if max(factors, default=1) > 1:
        x = _repeated(x, factors, name)
        have = tuple(x.shape[1:-1])
    if have == size:
        return x
    strides = []
    windows = []
    for length, target in zip(have, size, strict=True):
        stride = length // target
        strides.append(stride)
        # So wide that the last window ends at the edge: pooling then gives exactly `target` values.
        windows.append(length - (target - 1) * stride)
    return _averaged(x, windows, strides, name)


def _repeated(x: Tensor, factors: Sequence[int], name: str) -> Tensor:
    kinds = {3: layers.UpSampling2D, 2: layers.UpSampling1D}
    repeat = kinds[rank(x)]
    # Keras wants a number for a sequence, and a pair of numbers for a map.
    size = tuple(factors) if rank(x) == 3 else factors[0]
    return repeat(size, name=part(name, "upsampling"))(x)


def _averaged(x: Tensor, windows: Sequence[int], strides: Sequence[int], name: str) -> Tensor:
    kinds = {3: layers.AveragePooling2D, 2: layers.AveragePooling1D}
    pooling = kinds[rank(x)]
    layer_name = part(name, "average_pooling")
    if rank(x) == 2:
        return pooling(windows[0], strides[0], name=layer_name)(x)
    return pooling(tuple(windows), tuple(strides), name=layer_name)(x)


def project(x: Tensor, channels: int, name: str = "") -> Tensor:
    """`x` with this many channels, by a linear map of each position; unchanged if it has them."""
    if x.shape[-1] == channels:
        return x
    layer_name = part(name, "projection")
    # A 1x1 convolution is this map for images. On other ranks a dense layer does the same.
    if rank(x) == 3:
        return layers.Conv2D(channels, 1, name=layer_name)(x)
    return layers.Dense(channels, name=layer_name)(x)
