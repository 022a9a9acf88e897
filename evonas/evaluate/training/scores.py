"""The loss and the metric of predictions, in NumPy: what anyone can repeat on the output of `model.predict`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.learning.interface import Interface

LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""No probability counts as less: the loss of a sample is at most 87.3."""


def scores(interface: Interface, y: NDArray[Any], predictions: NDArray[Any]) -> dict[str, float]:
    """The mean loss and the mean metric, in double precision and in the targets' units.

    The cross-entropy is that of Keras's `evaluate`, to 1e-6, without regularization terms. Keras's loss functions,
    when called on an array, raise every probability below 1e-7 to 1e-7; this does so below 1e-38 only.

    Args:
        y: (samples,), class numbers or real targets.
        predictions: (samples, classes), probabilities; or (samples, 1), targets.

    Returns:
        `loss`, and `accuracy` or `mean_absolute_error`.
    """
    if interface.task == "classification":
        right = predictions[np.arange(len(y)), y].astype(np.float64)
        return {
            "loss": float(-np.log(np.maximum(right, LEAST_PROBABILITY)).mean()),
            "accuracy": float((predictions.argmax(axis=-1) == y).mean()),
        }
    error = predictions.reshape(len(y)).astype(np.float64) - y
    return {
        "loss": float(np.square(error).mean()),
        "mean_absolute_error": float(np.abs(error).mean()),
    }
