"""Loads an ONNX file with ONNX Runtime alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def load(path: Path) -> Callable[[Any], Array]:
    """The function that predicts."""
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    taken = {one.name: len(one.shape) for one in session.get_inputs()}

    def fed(name: str, values: Array) -> Array:
        # A column may be given as (n,), and the graph takes (n, 1).
        values = values if values.ndim == taken[name] else values[:, np.newaxis]
        return np.ascontiguousarray(values, dtype=np.float32)

    def predict(x: Any) -> Array:
        given = x if isinstance(x, Mapping) else dict.fromkeys(taken, x)
        feed = {}
        for name, values in given.items():
            # As a SavedModel has it: letters, digits and `_` alone.
            plain = re.sub(r"\W", "_", name, flags=re.ASCII)
            feed[plain] = fed(plain, values)
        found: Array = session.run(None, feed)[0]
        return found

    return predict
