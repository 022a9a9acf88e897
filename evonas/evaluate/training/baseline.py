"""What is scored without looking at a sample: the scale on which a loss can be read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.learning.interface import Interface
from evonas.learning.metrics import Metric, is_own, scores


def baseline(
    interface: Interface,
    metrics: Iterable[Metric],
    train: NDArray[Any],
    parts: Mapping[str, NDArray[Any]],
) -> dict[str, float]:
    """Scores of one prediction for all samples, the best that the training targets alone give.

    Args:
        metrics: metrics of predictions.
        train: (samples,), class numbers or real targets.
        parts: the same of each part that is scored, by the prefix of its metrics.

    Returns:
        `val_loss` and so on: each part's prefix before the names of its scores.
    """
    one = interface.learning_task.constant(train, interface.outputs)
    # A function of the user's may not be made for it.
    listed = [metric for metric in metrics if not is_own(metric.name)]
    found = {}
    for prefix, y in parts.items():
        predictions = np.broadcast_to(one, (len(y), len(one)))
        for name, value in scores(listed, y, predictions).items():
            if math.isfinite(value):
                found[f"{prefix}_{name}"] = value
    return found
