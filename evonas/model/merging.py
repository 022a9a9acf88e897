"""How a gene's several inputs become one tensor: skips are brought to the shape of the main input, then merged."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keras import layers

from evonas.model.parts import Tensor, part, rank


def merge(main: Tensor, skips: Sequence[Tensor], how: str, name: str = "") -> Tensor:
    """One tensor from a main input and skips.

    Args:
        main: (batch, ..., channels); the result has its height and width (or steps).
        skips: any shapes; they are resized by pooling, and for `add` projected to the main input's channels.
        how: `add` keeps the main input's channels, `concat` has the channels of all.
        name: a prefix for the names of the layers.
    """
    if not skips:
        return main
    fitted = [
        fit_size(skip, main, f"{name}_skip_{k}" if name else "") for k, skip in enumerate(skips)
    ]
    if how == "concat":
        return layers.Concatenate(name=part(name, "concat"))([main, *fitted])
    if how != "add":
        raise ValueError(f"merge must be 'add' or 'concat'. Received: {how!r}")
    channels = main.shape[-1]
    added = [
        project(skip, channels, f"{name}_skip_{k}" if name else "") for k, skip in enumerate(fitted)
    ]
    return layers.Add(name=part(name, "add"))([main, *added])


def fit(x: Tensor, like: Tensor, name: str = "") -> Tensor:
    """`x` in the shape of `like`: resized, then projected."""
    return project(fit_size(x, like, name), like.shape[-1], name)


def fit_size(x: Tensor, like: Tensor, name: str = "") -> Tensor:
    """`x` with the rank, height and width (or steps) of `like`; its channels stay."""
    if rank(like) == 1 and rank(x) > 1:
        kind = {3: layers.GlobalAveragePooling2D, 2: layers.GlobalAveragePooling1D}[rank(x)]
        return kind(name=part(name, "global_average"))(x)
    if rank(x) != rank(like):
        raise ValueError(
            f"a skip of shape {x.shape[1:]} cannot be brought to the shape {like.shape[1:]}."
        )
    return resize(x, tuple(like.shape[1:-1]), name)


def resize(x: Tensor, size: tuple[int, ...], name: str = "") -> Tensor:
    """`x` with exactly this height and width (or steps): repeated where it is too small, then averaged over windows."""
    up = tuple(math.ceil(target / have) for have, target in zip(x.shape[1:-1], size, strict=True))
    if max(up, default=1) > 1:
        repeat = {3: layers.UpSampling2D, 2: layers.UpSampling1D}[rank(x)]
        x = repeat(up if rank(x) == 3 else up[0], name=part(name, "upsampling"))(x)
    have = tuple(x.shape[1:-1])
    if have == size:
        return x
    strides = tuple(h // target for h, target in zip(have, size, strict=True))
    windows = tuple(h - (target - 1) * s for h, target, s in zip(have, size, strides, strict=True))
    kind = {3: layers.AveragePooling2D, 2: layers.AveragePooling1D}[rank(x)]
    if rank(x) == 2:
        return kind(windows[0], strides[0], name=part(name, "average_pooling"))(x)
    return kind(windows, strides, name=part(name, "average_pooling"))(x)


def project(x: Tensor, channels: int, name: str = "") -> Tensor:
    """`x` with this many channels, by a linear map of each position (a 1x1 convolution); nothing where it fits."""
    if x.shape[-1] == channels:
        return x
    if rank(x) == 3:
        return layers.Conv2D(channels, 1, name=part(name, "projection"))(x)
    return layers.Dense(channels, name=part(name, "projection"))(x)
