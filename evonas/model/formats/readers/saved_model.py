"""Loads a SavedModel with TensorFlow alone: no Keras, and no code of any layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BATCH = 32
"""Samples at once, as Keras's `predict` has it."""


def plain(name: str) -> str:
    """The name of an input among the arguments of a signature: letters, digits and `_` alone."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def load(path: Path) -> Callable[[Any], Array]:
    """The function that predicts."""
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(str(path))
    (taken,), _ = loaded.serve.concrete_functions[0].structured_input_signature

    def constant(values: Array, spec: Any) -> Any:
        # Unlike Keras, the graph takes samples of its own type and rank only.
        values = values if len(values.shape) == len(spec.shape) else values[:, np.newaxis]
        return tf.constant(values, spec.dtype)

    def predict(x: Any) -> Array:
        columns = x if isinstance(x, Mapping) else None
        count = len(x) if columns is None else len(next(iter(columns.values())))
        found = []
        for start in range(0, count, BATCH):
            rows = slice(start, start + BATCH)
            batch: Any
            if isinstance(x, Mapping):
                batch = {}
                for name, column in x.items():
                    batch[plain(name)] = constant(column[rows], taken[plain(name)])
            else:
                batch = constant(x[rows], taken)
            found.append(loaded.serve(batch).numpy())
        return np.concatenate(found)

    return predict
