"""Parts of the data as an export reads them, and what models predict for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.evaluate.training.checkpoint import Array


@dataclass(frozen=True)
class Part:
    """One part of the data, and what a model predicts for it.

    Attributes:
        weights: (samples,), what each sample counts; None if all count the same.
    """

    x: Array
    y: Array
    weights: Array | None
    predictions: Array


def mapped(path: Path) -> Array:
    """An array that is read from the disk where it is used, not loaded as a whole."""
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def weights_at(path: Path) -> Array | None:
    """What each sample counts. Only data with weights have a file of them."""
    return mapped(path) if path.exists() else None


def predicted(model: Any, x: Array) -> Array:
    """Predictions by `model.predict` with Keras's own batch size: another process can repeat it."""
    predictions: Array = model.predict(x, verbose=0)
    return predictions


def finite(prefix: str, scores: Mapping[str, Any]) -> dict[str, float]:
    """The scores that are numbers, as JSON can hold them, with the prefix of their part."""
    found = {}
    for name, value in scores.items():
        if math.isfinite(value):
            found[f"{prefix}{name}"] = float(value)
    return found
