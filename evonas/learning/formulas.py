"""The formulas of the metrics of predictions, in NumPy, by scikit-learn where it has them.

Each takes whole arrays: targets (samples,), encoded by the task, and predictions (samples,
outputs). All compute in double precision. scikit-learn takes a second to import, so it is imported
by the formulas that need it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""No probability counts as less: the loss of a sample is at most 87.3."""


def cross_entropy(targets: Array, predictions: Array) -> float:
    """That of Keras's `evaluate`, to 1e-6, without regularization terms."""
    samples = np.arange(len(targets))
    of_true_class = predictions[samples, targets].astype(np.float64)
    # On arrays, Keras's own losses raise every probability below 1e-7 to 1e-7. A network that
    # diverges would look better than it is, so only probabilities below 1e-38 are raised here.
    logarithms = np.log(np.maximum(of_true_class, LEAST_PROBABILITY))
    return float(-logarithms.mean())


def accuracy(targets: Array, predictions: Array) -> float:
    return float((_classes(predictions) == targets).mean())


def balanced_accuracy(targets: Array, predictions: Array) -> float:
    from sklearn.metrics import recall_score

    # `balanced_accuracy_score` is the same, and warns of classes that are predicted and not there.
    present = np.unique(targets)
    recall = recall_score(targets, _classes(predictions), labels=present, average="macro")
    return float(recall)


def f1_macro(targets: Array, predictions: Array) -> float:
    from sklearn.metrics import f1_score

    score = f1_score(targets, _classes(predictions), average="macro", zero_division=0.0)
    return float(score)


def auc(targets: Array, predictions: Array) -> float:
    """The area under the ROC curve; of more than two classes the mean of each against the rest.

    A class without a sample does not count. NaN if all samples are of one class.
    """
    from sklearn.metrics import roc_auc_score

    present = np.unique(targets)
    if len(present) < 2:
        return math.nan
    if predictions.shape[1] == 2:
        # The two areas are equal but for rounding.
        present = present[1:]
    areas = [roc_auc_score(targets == number, predictions[:, number]) for number in present]
    return float(np.mean(areas))


def squared_error(targets: Array, predictions: Array) -> float:
    errors = _quantities(predictions) - targets
    return float(np.square(errors).mean())


def absolute_error(targets: Array, predictions: Array) -> float:
    errors = _quantities(predictions) - targets
    return float(np.abs(errors).mean())


def rmse(targets: Array, predictions: Array) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(targets, _quantities(predictions)))


def r2(targets: Array, predictions: Array) -> float:
    """Part of the targets' variance that is explained; NaN for a single sample."""
    from sklearn.metrics import r2_score

    if len(targets) < 2:
        return math.nan
    return float(r2_score(targets, _quantities(predictions)))


def _classes(predictions: Array) -> Array:
    """The number of the most probable class of each sample; the first one of equals."""
    numbers: Array = predictions.argmax(axis=-1)
    return numbers


def _quantities(predictions: Array) -> Array:
    """(samples,), in double precision."""
    return predictions.reshape(len(predictions)).astype(np.float64)
