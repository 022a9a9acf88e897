"""Raw samples in the form in which Keras's `predict` takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.model.formats.export_format import Array, Samples


def to_keras(x: Samples) -> Any:
    """The same samples, with tensors for words: Keras 3.15 refuses NumPy's arrays of words."""
    if isinstance(x, Mapping):
        return {name: _tensor(column) for name, column in x.items()}
    return _tensor(x)


def _tensor(values: Array) -> Any:
    if values.dtype.kind != "U":
        return values
    import tensorflow as tf

    return tf.constant(values)
