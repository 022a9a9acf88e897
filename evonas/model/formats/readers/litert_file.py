"""Loads a LiteRT file (`.tflite`) with LiteRT's interpreter alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def load(path: Path) -> Callable[[Any], Array]:
    """The function that predicts."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    taken = runner.get_input_details()
    # Networks with loops are written for one sample at a time.
    is_single = all(one["shape_signature"][0] == 1 for one in taken.values())

    def fed(name: str, values: Array) -> Array:
        # A column may be given as (n,), and the graph takes (n, 1).
        rank = len(taken[name]["shape_signature"])
        values = values if values.ndim == rank else values[:, np.newaxis]
        return np.ascontiguousarray(values, dtype=np.float32)

    def predict(x: Any) -> Array:
        given = x if isinstance(x, Mapping) else dict.fromkeys(taken, x)
        feed = {}
        for name, values in given.items():
            # As a SavedModel has it: letters, digits and `_` alone.
            plain = re.sub(r"\W", "_", name, flags=re.ASCII)
            feed[plain] = fed(plain, values)
        count = len(next(iter(feed.values())))
        size = 1 if is_single else count
        found = []
        for start in range(0, count, size):
            rows = slice(start, start + size)
            answer = runner(**{name: values[rows] for name, values in feed.items()})
            found.append(next(iter(answer.values())))
        return np.concatenate(found)

    return predict
