"""What is scored without learning: the scale on which a loss can be read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.learning.interface import Interface
from evonas.learning.metrics import Metric, is_own

Array = NDArray[Any]


def baseline(
    interface: Interface,
    metrics: Iterable[Metric],
    train: Array,
    parts: Mapping[str, Array],
    weights: Mapping[str, Array | None] | None = None,
) -> dict[str, float]:
    """Scores of one prediction for all samples, the best that the training targets alone give.

    Args:
        metrics: metrics of predictions.
        train: targets of the training data, as they are stored.
        parts: the same of each part that is scored, by the prefix of its metrics.
        weights: what each sample counts, likewise by prefix, and under `train`. None if all samples
            count the same.

    Returns:
        `val_loss` and so on: each part's prefix before the names of its scores.
    """
    counts = weights or {}
    one = interface.learning_task.constant(train, interface.outputs, counts.get("train"))
    listed = list(metrics)
    found: dict[str, float] = {}
    for prefix, y in parts.items():
        predictions = np.broadcast_to(one, (len(y), len(one)))
        found |= _scores(interface, listed, prefix, y, predictions, counts.get(prefix))
    return found


def persistence(
    interface: Interface,
    metrics: Iterable[Metric],
    parts: Mapping[str, tuple[Array, Array]],
    weights: Mapping[str, Array | None] | None = None,
) -> dict[str, float]:
    """Scores of a forecast that repeats the last known value; of other tasks none.

    Args:
        parts: samples and targets of each part that is scored, by the prefix of its metrics.
    """
    if not interface.steps:
        return {}
    listed = list(metrics)
    series = interface.outputs // interface.steps
    found: dict[str, float] = {}
    for prefix, (x, y) in parts.items():
        # The last channels are the series themselves.
        last = np.asarray(x[:, -1, -series:])
        predictions = np.tile(last, interface.steps)
        count = (weights or {}).get(prefix)
        found |= _scores(interface, listed, prefix, y, predictions, count)
    return found


def _scores(
    interface: Interface,
    metrics: Iterable[Metric],
    prefix: str,
    y: Array,
    predictions: Array,
    weights: Array | None,
) -> dict[str, float]:
    """The finite ones among these scores."""
    # A function of the user's may not be made for such predictions.
    listed = [metric for metric in metrics if not is_own(metric.name)]
    found = {}
    for name, value in interface.scores(listed, y, predictions, weights).items():
        if math.isfinite(value):
            found[f"{prefix}_{name}"] = value
    return found
