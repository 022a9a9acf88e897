"""Loads a `.keras` file, or the network of a `model.py`, with Keras alone."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def load(path: Path) -> Callable[[Any], Array]:
    """The function that predicts.

    Args:
        path: a `.keras` file, or a folder with `model.py`.
    """
    import keras

    model: Any
    if path.is_dir():
        model = runpy.run_path(str(path / "model.py"))["load_model"]()
    else:
        # As a user loads it: compiled, without any code of others.
        model = keras.models.load_model(path, safe_mode=True)

    def predict(x: Any) -> Array:
        predictions: Array = model.predict(to_keras(x), verbose=0)
        return predictions

    return predict


def to_keras(x: Any) -> Any:
    """The same samples, with tensors for words: Keras 3.15 refuses NumPy's arrays of words."""
    if isinstance(x, Mapping):
        return {name: _tensor(column) for name, column in x.items()}
    return _tensor(x)


def _tensor(values: Array) -> Any:
    if values.dtype.kind != "U":
        return values
    import tensorflow as tf

    return tf.constant(values)
