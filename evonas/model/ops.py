"""The ops of the network sections: ordinary functions from Keras tensor to Keras tensor, and the registry of them.

To add one, write the function here (or, for sequences, in `evonas.model.recurrent`), put it in `OPS`, and describe it
in `evonas.model.catalog`.

Every op takes `name`, a prefix for the names of its layers; empty leaves the naming to Keras. An op that draws random
numbers while training must own its `keras.random.SeedGenerator`, as Keras's dropout layers do: only then is the
generator among `model.variables`, where a checkpoint finds it. These seeds and the initial weights come from Python's
`random`, so that `keras.utils.set_random_seed` before the building makes all of them repeat.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping

from keras import layers

from evonas.errors import UserError, did_you_mean
from evonas.model.cells import pair
from evonas.model.parts import Tensor, finished, part, rank, regularizer
from evonas.model.recurrent import attention_pooling, conv1d, gru, last, lstm, simple_rnn

OpFunction = Callable[..., Tensor]


def conv2d(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    activation: str = "relu",
    batch_normalization: bool = False,
    dropout: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """A convolution that keeps height and width; dropout drops whole channels (Tompson et al., 2015).

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, height, width, filters).
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        activation=None if batch_normalization else activation,
        use_bias=not batch_normalization,
        kernel_initializer=kernel_initializer,
        kernel_regularizer=regularizer(l1, l2),
        name=part(name, "conv2d"),
    )(x)
    return finished(x, layers.SpatialDropout2D, activation, batch_normalization, dropout, name)


def separable_conv2d(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    activation: str = "relu",
    batch_normalization: bool = False,
    dropout: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """A depthwise separable convolution (Chollet, 2017): each channel for itself, then a mixture of the channels.

    Initializer and penalties go to both of its kernels.

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, height, width, filters).
    """
    x = layers.SeparableConv2D(
        filters,
        kernel_size,
        padding="same",
        activation=None if batch_normalization else activation,
        use_bias=not batch_normalization,
        depthwise_initializer=kernel_initializer,
        pointwise_initializer=kernel_initializer,
        depthwise_regularizer=regularizer(l1, l2),
        pointwise_regularizer=regularizer(l1, l2),
        name=part(name, "separable_conv2d"),
    )(x)
    return finished(x, layers.SpatialDropout2D, activation, batch_normalization, dropout, name)


def dense(
    x: Tensor,
    *,
    units: int,
    activation: str = "relu",
    batch_normalization: bool = False,
    dropout: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """A fully connected layer over the last axis.

    Args:
        x: (batch, ..., features).

    Returns:
        (batch, ..., units).
    """
    x = layers.Dense(
        units,
        activation=None if batch_normalization else activation,
        use_bias=not batch_normalization,
        kernel_initializer=kernel_initializer,
        kernel_regularizer=regularizer(l1, l2),
        name=part(name, "dense"),
    )(x)
    return finished(x, layers.Dropout, activation, batch_normalization, dropout, name)


def layer_normalization(x: Tensor, *, name: str = "") -> Tensor:
    """Each position of a sample brought to mean 0 and variance 1 over its channels (Ba et al., 2016), then scaled."""
    return layers.LayerNormalization(name=part(name, "layer_normalization"))(x)


def max_pooling(x: Tensor, *, pool_size: int = 2, name: str = "") -> Tensor:
    """The maximum of each window; height and width (or steps) become size / `pool_size`, rounded up: 1x1 stays 1x1."""
    kind = {3: layers.MaxPooling2D, 2: layers.MaxPooling1D}[rank(x)]
    return kind(pool_size, padding="same", name=part(name, "max_pooling"))(x)


def average_pooling(x: Tensor, *, pool_size: int = 2, name: str = "") -> Tensor:
    """The mean of each window, padding left out; sizes as in `max_pooling`."""
    kind = {3: layers.AveragePooling2D, 2: layers.AveragePooling1D}[rank(x)]
    return kind(pool_size, padding="same", name=part(name, "average_pooling"))(x)


def flatten(x: Tensor, *, name: str = "") -> Tensor:
    """All values of a sample in one axis; a vector stays what it is."""
    return layers.Flatten(name=part(name, "flatten"))(x)


def global_average(x: Tensor, *, name: str = "") -> Tensor:
    """The mean of each channel: (batch, channels)."""
    kind = {3: layers.GlobalAveragePooling2D, 2: layers.GlobalAveragePooling1D}[rank(x)]
    return kind(name=part(name, "global_average"))(x)


def global_max(x: Tensor, *, name: str = "") -> Tensor:
    """The maximum of each channel: (batch, channels)."""
    kind = {3: layers.GlobalMaxPooling2D, 2: layers.GlobalMaxPooling1D}[rank(x)]
    return kind(name=part(name, "global_max"))(x)


_ALL: tuple[OpFunction, ...] = (
    *(conv2d, separable_conv2d, conv1d, lstm, gru, simple_rnn, dense, layer_normalization),
    *(
        max_pooling,
        average_pooling,
        flatten,
        last,
        attention_pooling,
        global_average,
        global_max,
        pair,
    ),
)

OPS: Mapping[str, OpFunction] = {op.__name__: op for op in _ALL}
"""The registry: op name -> function."""


def find_op(name: str, plugins: Iterable[str] = ()) -> OpFunction:
    """The function of an op's name.

    Args:
        name: of `OPS`, or `package.module:function` for an op of the user's own.
        plugins: the modules that may be imported; no other is.

    Raises:
        UserError: where there is no such op, its module may not be imported, or the module or function is missing.
    """
    if ":" not in name:
        if name not in OPS:
            raise UserError(
                f"unknown op {name!r}.{did_you_mean(name, tuple(OPS))} Known: {', '.join(OPS)}."
            )
        return OPS[name]
    module, _, function = name.partition(":")
    allowed = tuple(plugins)
    if module not in allowed:
        raise UserError(
            f"op {name!r}: the module {module!r} is not among the plugins: {', '.join(allowed) or 'none'}."
        )
    try:
        found = getattr(importlib.import_module(module), function, None)
    except ImportError as error:
        raise UserError(
            f"op {name!r}: the module {module!r} cannot be imported: {error}"
        ) from error
    if not callable(found):
        raise UserError(f"op {name!r}: the module {module!r} has no function {function!r}.")
    return found  # type: ignore[no-any-return]  # any callable of the user's
