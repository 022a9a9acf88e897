"""What is scored without looking at a sample: the scale on which a loss can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.learning.interface import Interface
from evonas.learning.metrics import Metric, scores


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
    listed = tuple(metrics)
    found = {}
    for prefix, y in parts.items():
        predictions = np.broadcast_to(one, (len(y), len(one)))
        for name, value in scores(listed, y, predictions).items():
            found[f"{prefix}_{name}"] = value
    return found
