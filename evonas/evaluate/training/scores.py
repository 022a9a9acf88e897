"""The loss and the metric of predictions, in NumPy: repeatable on the output of `model.predict`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.learning.interface import Interface

LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""No probability counts as less: the loss of a sample is at most 87.3."""


def scores(interface: Interface, y: NDArray[Any], predictions: NDArray[Any]) -> dict[str, float]:
    """The mean loss and the mean metric, in double precision and in the targets' units.

    The cross-entropy is that of Keras's `evaluate`, to 1e-6, without regularization terms.

    Args:
        y: (samples,), class numbers or real targets.
        predictions: (samples, classes), probabilities; or (samples, 1), targets.

    Returns:
        `loss`, and `accuracy` or `mean_absolute_error`.
    """
    if interface.task == "classification":
        samples = np.arange(len(y))
        of_true_class = predictions[samples, y].astype(np.float64)
        # On arrays, Keras's own losses raise every probability below 1e-7 to 1e-7. A network that
        # diverges would look better than it is, so only probabilities below 1e-38 are raised here.
        logarithms = np.log(np.maximum(of_true_class, LEAST_PROBABILITY))
        hits = predictions.argmax(axis=-1) == y
        return {
            "loss": float(-logarithms.mean()),
            "accuracy": float(hits.mean()),
        }
    error = predictions.reshape(len(y)).astype(np.float64) - y
    return {
        "loss": float(np.square(error).mean()),
        "mean_absolute_error": float(np.abs(error).mean()),
    }
