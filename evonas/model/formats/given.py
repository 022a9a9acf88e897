"""Raw samples in the form in which Keras's `predict` takes them."""

from __future__ import annotations

from typing import Any

from evonas.model.formats.export_format import Samples
from evonas.model.formats.readers import keras_model


def to_keras(x: Samples) -> Any:
    """The same samples, with tensors for words: Keras 3.15 refuses NumPy's arrays of words."""
    return keras_model.to_keras(x)
