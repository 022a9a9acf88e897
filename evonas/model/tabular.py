"""Ops for tables: columns become a vector, and blocks of dense layers that suit tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Style, Tensor, part

LEAST_WIDTH = 1e-6
"""The least width of a bin. Several quantiles of a column may be one value."""

PERIODIC_SPREAD = 1.0
"""Standard deviation of the initial frequencies, for columns whose own deviation is 1."""


def embed_columns(
    x: Tensor,
    *,
    spec: InputSpec,
    embedding_size: int,
    numbers: str = "plain",
    frequencies: int = 8,
    dropout: float = 0.0,
    name: str = "",
) -> Tensor:
    """The columns of a table as one vector.

    A word becomes a row of a table of weights, an entity embedding (Guo and Berkhahn, 2016). All
    columns of words have rows of one size. A number is standardized, with 0 for a gap; a column
    with gaps also tells where they are. Beside that value:

    * `plain`: nothing.
    * `piecewise`: how far the value has come through each of 16 bins with equally many training
      samples, each 0 to 1 (Gorishniy et al., 2022, piecewise linear encoding).
    * `periodic`: sine and cosine of learned frequencies (the same paper).

    Args:
        x: (batch, columns), as the encoding `table` stores them.
        spec: input of the network, with what is known of the columns.
        embedding_size: length of the row of a word.
        numbers: how numbers are told, a word of the list above.
        frequencies: number of frequencies of each column, if they are periodic.
        dropout: fraction of the vector that is dropped.

    Returns:
        (batch, features).
    """
    columns = spec.fitted["columns"]
    found = []
    quantities = {k: one for k, one in enumerate(columns) if "words" not in one}
    if quantities:
        found += _quantities(x, quantities, numbers, frequencies, name)
    words = {k: one for k, one in enumerate(columns) if "words" in one}
    if words:
        found.append(_words(x, words, embedding_size, name))
    y = found[0]
    if len(found) > 1:
        y = layers.Concatenate(name=part(name, "vector"))(found)
    if dropout:
        y = layers.Dropout(dropout, name=part(name, "dropout"))(y)
    return y


def _quantities(
    x: Tensor,
    columns: Mapping[int, Mapping[str, Any]],
    numbers: str,
    frequencies: int,
    name: str,
) -> list[Tensor]:
    """What is told of the numbers, each (batch, features)."""
    values = _taken(x, list(columns))
    gaps = keras.ops.isnan(values)
    means = [one["mean"] for one in columns.values()]
    normalization = layers.Normalization(
        axis=-1,
        mean=means,
        variance=[one["variance"] for one in columns.values()],
        name=part(name, "normalization"),
    )
    # What is no number stays none, whatever is computed with it: it must go first.
    plain = keras.ops.where(gaps, 0.0, normalization(values))
    found = [plain]
    with_gaps = [place for place, one in enumerate(columns.values()) if one["has_gaps"]]
    if with_gaps:
        found.append(keras.ops.cast(_taken(gaps, with_gaps), "float32"))
    if numbers == "piecewise":
        known = keras.ops.where(gaps, keras.ops.convert_to_tensor(means, "float32"), values)
        found.append(_piecewise(known, list(columns.values()), name))
    if numbers == "periodic":
        found.append(_periodic(plain, len(columns), frequencies, name))
    return found


def _taken(x: Tensor, places: Sequence[int]) -> Tensor:
    """These columns of (batch, columns)."""
    if list(places) == list(range(x.shape[-1])):
        return x
    return keras.ops.take(x, list(places), axis=-1)


def _piecewise(x: Tensor, columns: Sequence[Mapping[str, Any]], name: str) -> Tensor:
    """(batch, columns) -> (batch, columns * bins), each from 0 to 1."""
    count = len(columns)
    bins = len(columns[0]["quantiles"]) - 1
    lower = [edge for one in columns for edge in one["quantiles"][:-1]]
    widths = []
    for one in columns:
        edges = one["quantiles"]
        least = max(LEAST_WIDTH, LEAST_WIDTH * math.sqrt(one["variance"]))
        widths += [max(b - a, least) for a, b in itertools.pairwise(edges)]
    each = layers.Reshape((count, 1), name=part(name, "each"))(x)
    repeated = layers.Concatenate(name=part(name, "repeated"))([each] * bins)
    flat = layers.Reshape((count * bins,), name=part(name, "bins"))(repeated)
    within = layers.Normalization(
        axis=-1,
        mean=lower,
        variance=[width**2 for width in widths],
        name=part(name, "within"),
    )
    return layers.ReLU(max_value=1.0, name=part(name, "piecewise"))(within(flat))


def _periodic(x: Tensor, count: int, frequencies: int, name: str) -> Tensor:
    """(batch, columns) -> (batch, 2 * columns * frequencies)."""
    each = layers.Reshape((1, count), name=part(name, "each"))(x)
    # Each column is multiplied by its own frequencies.
    waves = layers.DepthwiseConv1D(
        1,
        depth_multiplier=frequencies,
        use_bias=False,
        depthwise_initializer=keras.initializers.RandomNormal(stddev=PERIODIC_SPREAD),
        name=part(name, "frequencies"),
    )
    angles = layers.Flatten(name=part(name, "angles"))(waves(each))
    angles = layers.Rescaling(2 * math.pi, name=part(name, "turns"))(angles)
    return layers.Concatenate(name=part(name, "periodic"))(
        [keras.ops.sin(angles), keras.ops.cos(angles)]
    )


def _words(
    x: Tensor, columns: Mapping[int, Mapping[str, Any]], embedding_size: int, name: str
) -> Tensor:
    """The embeddings of all columns of words, one behind the other."""
    codes = _taken(x, list(columns))
    # A gap and an unknown word have rows, too.
    sizes = [2 + len(one["words"]) for one in columns.values()]
    starts = [float(sum(sizes[:place])) for place in range(len(sizes))]
    # One layer for all columns is built and traced much faster than one for each.
    shifted = codes + keras.ops.convert_to_tensor(starts, "float32")
    rows = layers.Embedding(sum(sizes), embedding_size, name=part(name, "embedding"))
    return layers.Flatten(name=part(name, "words"))(rows(keras.ops.cast(shifted, "int32")))


def residual_dense(
    x: Tensor,
    *,
    units: int,
    expansion: int = 2,
    activation: str = "relu",
    dropout: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """A residual block of dense layers for tables (Gorishniy et al., 2021, "ResNet").

    Args:
        x: (batch, ..., features). Unless they are as many as `units`, a dense layer makes them so.
        units: width of the block's ends.
        expansion: width of its middle, in `units`.
        dropout: fraction that is dropped in the middle.
        l2: factor of a penalty on the squared weights.

    Returns:
        (batch, ..., units).
    """
    style = Style(kernel_initializer="he_normal", activation=activation, l2=l2)
    linear = Style(activation="linear", l2=l2)
    if x.shape[-1] != units:
        project = layers.Dense(units, name=part(name, "project"), **linear.options("kernel"))
        x = project(x)
    y = layers.LayerNormalization(name=part(name, "layer_normalization"))(x)
    widen = layers.Dense(units * expansion, name=part(name, "widen"), **style.options("kernel"))
    y = widen(y)
    if dropout:
        y = layers.Dropout(dropout, name=part(name, "dropout"))(y)
    narrow = layers.Dense(units, name=part(name, "narrow"), **linear.options("kernel"))
    return layers.Add(name=part(name, "add"))([x, narrow(y)])


def gated_dense(
    x: Tensor,
    *,
    units: int,
    dropout: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """A gated linear unit (Dauphin et al., 2017): a second layer says how much of it passes.

    Args:
        x: (batch, ..., features).
        l2: factor of a penalty on the squared weights.

    Returns:
        (batch, ..., units).
    """
    linear = Style(activation="linear", l2=l2).options("kernel")
    values = layers.Dense(units, name=part(name, "values"), **linear)(x)
    gate_style = Style(activation="sigmoid", l2=l2).options("kernel")
    gate = layers.Dense(units, name=part(name, "gate"), **gate_style)(x)
    y = layers.Multiply(name=part(name, "gated"))([values, gate])
    y = layers.LayerNormalization(name=part(name, "layer_normalization"))(y)
    if dropout:
        y = layers.Dropout(dropout, name=part(name, "dropout"))(y)
    return y
