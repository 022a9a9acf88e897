"""What is scored without looking at a sample: the scale on which a loss can be read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.evaluate.training.scores import scores
from evonas.learning.interface import Interface


def baseline(
    interface: Interface, train: NDArray[Any], parts: dict[str, NDArray[Any]]
) -> dict[str, float]:
    """Scores of one prediction for all samples, the best that the training targets alone give.

    For quantities that is their mean; for classes, how often each of them occurs.

    Args:
        train: (samples,), class numbers or real targets.
        parts: the same of each part that is scored, by the prefix of its metrics.

    Returns:
        `val_loss` and so on: each part's prefix before the names of its scores.
    """
    if interface.task == "classification":
        one = np.bincount(train, minlength=interface.outputs) / len(train)
    else:
        one = np.array([np.mean(train, dtype=np.float64)])
    found = {}
    for prefix, y in parts.items():
        predictions = np.broadcast_to(one, (len(y), len(one)))
        for name, value in scores(interface, y, predictions).items():
            found[f"{prefix}_{name}"] = value
    return found
