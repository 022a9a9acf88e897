"""The ops of the network sections, functions from Keras tensor to Keras tensor, and their registry.

To add an op, write the function here (for sequences in `evonas.model.recurrent`, for blocks of
several layers in `evonas.model.blocks`, for tables in `evonas.model.tabular`), put it in `_ALL`,
and describe it in `evonas.model.catalog`.

Every op takes `name`, a prefix for the names of its layers; empty leaves the naming to Keras. An
op with weights takes the fields of `evonas.model.parts.Style`.

An op that has a parameter `mask` gets (batch, steps), true for the real steps, if its input is a
padded sequence, and otherwise None. Then it makes exactly the layers that it makes without padding.
An op that makes one step of several gives a pair with a mask: its output and how many. See
`evonas.model.masking`.

An op that draws random numbers while training must own its `keras.random.SeedGenerator`, as Keras's
dropout layers do. Only then is the generator among `model.variables`, where a checkpoint finds it.
These seeds and the initial weights come from Python's `random`. So they all repeat after
`keras.utils.set_random_seed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras import layers

from evonas.errors import UserError, did_you_mean
from evonas.model.blocks import bottleneck, inverted_residual, residual
from evonas.model.cells import pair
from evonas.model.functions import function_of
from evonas.model.masking import LOWEST, average_pooled, filled, max_pooled, zeroed
from evonas.model.parts import Style, Tensor, part, rank
from evonas.model.recurrent import attention_pooling, conv1d, gru, last, lstm, simple_rnn
from evonas.model.tabular import embed_columns, gated_dense, residual_dense
from evonas.model.temporal import inception, temporal_block
from evonas.model.text import embedding
from evonas.model.transformer import patches, positions, transformer

OpFunction = Callable[..., Tensor]


def conv2d(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    name: str = "",
    **style: Any,
) -> Tensor:
    """A convolution that keeps height and width.

    Dropout drops whole channels (Tompson et al., 2015).

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, height, width, filters).
    """
    given = Style(**style)
    layer = layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        name=part(name, "conv2d"),
        **given.options("kernel"),
    )
    return given.finished(layer(x), layers.SpatialDropout2D, name)


def separable_conv2d(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    name: str = "",
    **style: Any,
) -> Tensor:
    """A depthwise separable convolution (Chollet, 2017).

    It treats each channel for itself, and then mixes the channels. Initializer and penalties go to
    both of its kernels.

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, height, width, filters).
    """
    given = Style(**style)
    layer = layers.SeparableConv2D(
        filters,
        kernel_size,
        padding="same",
        name=part(name, "separable_conv2d"),
        **given.options("depthwise", "pointwise"),
    )
    return given.finished(layer(x), layers.SpatialDropout2D, name)


def dense(
    x: Tensor,
    *,
    units: int,
    name: str = "",
    mask: Tensor | None = None,
    **style: Any,
) -> Tensor:
    """A fully connected layer over the last axis.

    Args:
        x: (batch, ..., features).

    Returns:
        (batch, ..., units).
    """
    given = Style(**style)
    layer = layers.Dense(units, name=part(name, "dense"), **given.options("kernel"))
    return given.finished(layer(x), layers.Dropout, name, mask)


def layer_normalization(x: Tensor, *, name: str = "") -> Tensor:
    """Layer normalization (Ba et al., 2016).

    Each position of a sample is brought to mean 0 and variance 1 over its channels, then scaled.
    """
    layer_name = part(name, "layer_normalization")
    return layers.LayerNormalization(name=layer_name)(x)


def max_pooling(
    x: Tensor, *, pool_size: int = 2, name: str = "", mask: Tensor | None = None
) -> Tensor | tuple[Tensor, int]:
    """The maximum of each window.

    Height and width (or steps) become size / `pool_size`, rounded up: 1x1 stays 1x1.
    """
    if mask is not None:
        return max_pooled(x, mask, pool_size, name), pool_size
    kinds = {3: layers.MaxPooling2D, 2: layers.MaxPooling1D}
    pooling = kinds[rank(x)]
    layer_name = part(name, "max_pooling")
    # With padding, a map that is smaller than the window is allowed: networks may be deep.
    return pooling(pool_size, padding="same", name=layer_name)(x)


def average_pooling(
    x: Tensor, *, pool_size: int = 2, name: str = "", mask: Tensor | None = None
) -> Tensor | tuple[Tensor, int]:
    """The mean of each window, padding left out; sizes as in `max_pooling`."""
    if mask is not None:
        return average_pooled(x, mask, pool_size, name), pool_size
    kinds = {3: layers.AveragePooling2D, 2: layers.AveragePooling1D}
    pooling = kinds[rank(x)]
    layer_name = part(name, "average_pooling")
    return pooling(pool_size, padding="same", name=layer_name)(x)


def flatten(x: Tensor, *, name: str = "", mask: Tensor | None = None) -> Tensor:
    """All values of a sample in one axis, padded steps as zeros; a vector stays what it is."""
    layer_name = part(name, "flatten")
    return layers.Flatten(name=layer_name)(zeroed(x, mask, name))


def global_average(x: Tensor, *, name: str = "", mask: Tensor | None = None) -> Tensor:
    """The mean of each channel: (batch, channels)."""
    kinds = {3: layers.GlobalAveragePooling2D, 2: layers.GlobalAveragePooling1D}
    pooling = kinds[rank(x)](name=part(name, "global_average"))
    return pooling(x) if mask is None else pooling(x, mask=mask)


def global_max(x: Tensor, *, name: str = "", mask: Tensor | None = None) -> Tensor:
    """The maximum of each channel: (batch, channels)."""
    kinds = {3: layers.GlobalMaxPooling2D, 2: layers.GlobalMaxPooling1D}
    pooling = kinds[rank(x)]
    layer_name = part(name, "global_max")
    if mask is not None:
        x = filled(x, mask, LOWEST, name)
    return pooling(name=layer_name)(x)


_ALL: tuple[OpFunction, ...] = (
    conv2d,
    separable_conv2d,
    conv1d,
    lstm,
    gru,
    simple_rnn,
    temporal_block,
    inception,
    transformer,
    positions,
    patches,
    embedding,
    dense,
    layer_normalization,
    max_pooling,
    average_pooling,
    flatten,
    last,
    attention_pooling,
    global_average,
    global_max,
    pair,
    residual,
    bottleneck,
    inverted_residual,
    embed_columns,
    residual_dense,
    gated_dense,
)

OPS: Mapping[str, OpFunction] = {op.__name__: op for op in _ALL}
"""The registry: op name -> function."""


def find_op(name: str, plugins: Iterable[str] = ()) -> OpFunction:
    """The function of an op's name.

    Args:
        name: a name in `OPS`, or `package.module:function` for an op of the user's own.
        plugins: modules that may be imported; no other module is.

    Raises:
        UserError: there is no such op, its module may not be imported, or the module or function is
            missing.
    """
    if ":" in name:
        return function_of("op", name, plugins)
    if name not in OPS:
        hint = did_you_mean(name, tuple(OPS))
        raise UserError(f"unknown op {name!r}.{hint} Known: {', '.join(OPS)}.")
    return OPS[name]
