"""The formulas of the metrics of predictions, in NumPy, by scikit-learn where it has them.

Each takes whole arrays: targets (samples,) or (samples, columns), encoded by the task, predictions
(samples, outputs), and perhaps weights (samples,), all above 0. A score is then the weighted mean.
All compute in double precision. scikit-learn takes a second to import, so it is imported by the
formulas that need it.

With several targets, a value is the plain mean of the values of each target, as scikit-learn's
`uniform_average`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""No probability counts as less: the loss of a sample is at most 87.3."""


LEAST_OF_A_LABEL = 1e-7
"""No probability that a label holds, or that it does not, counts as less. This is Keras's value.

A sigmoid in 32 bits rounds whatever is nearer to 1 than 3e-8.
"""

Weights = Array | None


def cross_entropy(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """That of Keras's `evaluate`, to 1e-6, without regularization terms."""
    samples = np.arange(len(targets))
    of_true_class = predictions[samples, targets].astype(np.float64)
    # On arrays, Keras's own losses raise every probability below 1e-7 to 1e-7. A network that
    # diverges would look better than it is, so only probabilities below 1e-38 are raised here.
    logarithms = np.log(np.maximum(of_true_class, LEAST_PROBABILITY))
    return -_mean(logarithms, weights)


def accuracy(targets: Array, predictions: Array, weights: Weights = None) -> float:
    return _mean(_classes(predictions) == targets, weights)


def balanced_accuracy(targets: Array, predictions: Array, weights: Weights = None) -> float:
    from sklearn.metrics import recall_score

    # `balanced_accuracy_score` is the same, and warns of classes that are predicted and not there.
    present = np.unique(targets)
    recall = recall_score(
        targets, _classes(predictions), labels=present, average="macro", sample_weight=weights
    )
    return float(recall)


def f1_macro(targets: Array, predictions: Array, weights: Weights = None) -> float:
    from sklearn.metrics import f1_score

    score = f1_score(
        targets, _classes(predictions), average="macro", zero_division=0.0, sample_weight=weights
    )
    return float(score)


def auc(targets: Array, predictions: Array, weights: Weights = None) -> float:
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
    areas = []
    for number in present:
        area = roc_auc_score(targets == number, predictions[:, number], sample_weight=weights)
        areas.append(area)
    return float(np.mean(areas))


def binary_cross_entropy(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """That of Keras's `evaluate`, to 1e-6, without regularization terms; the mean over labels."""
    exact = predictions.astype(np.float64)
    # The same ends as Keras has; NaN stays NaN.
    sure = np.clip(exact, LEAST_OF_A_LABEL, 1 - LEAST_OF_A_LABEL)
    of_truth = np.where(targets == 1, sure, 1 - sure)
    return -_mean(np.log(of_truth), weights)


def label_accuracy(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """The share of labels that are right, of all samples: Keras's binary accuracy."""
    return _mean(_holds(predictions) == targets, weights)


def exact_match(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """The share of samples of which all labels are right."""
    return _mean((_holds(predictions) == targets).all(axis=1), weights)


def label_f1(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """The mean of each label's F1; 0 for a label that neither holds nor is predicted."""
    from sklearn.metrics import f1_score

    score = f1_score(
        targets, _holds(predictions), average="macro", zero_division=0.0, sample_weight=weights
    )
    return float(score)


def label_auc(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """The mean of each label's area under the ROC curve.

    A label that is the same in all samples does not count. NaN if there is no other.
    """
    from sklearn.metrics import roc_auc_score

    differ = np.flatnonzero((targets != targets[0]).any(axis=0))
    if not len(differ):
        return math.nan
    areas = []
    for label in differ:
        area = roc_auc_score(targets[:, label], predictions[:, label], sample_weight=weights)
        areas.append(area)
    return float(np.mean(areas))


def squared_error(targets: Array, predictions: Array, weights: Weights = None) -> float:
    errors = _quantities(predictions, targets) - targets
    return _mean(np.square(errors), weights)


def absolute_error(targets: Array, predictions: Array, weights: Weights = None) -> float:
    errors = _quantities(predictions, targets) - targets
    return _mean(np.abs(errors), weights)


def rmse(targets: Array, predictions: Array, weights: Weights = None) -> float:
    from sklearn.metrics import root_mean_squared_error

    predicted = _quantities(predictions, targets)
    return float(root_mean_squared_error(targets, predicted, sample_weight=weights))


def r2(targets: Array, predictions: Array, weights: Weights = None) -> float:
    """Part of the targets' variance that is explained; NaN for a single sample."""
    from sklearn.metrics import r2_score

    if len(targets) < 2:
        return math.nan
    return float(r2_score(targets, _quantities(predictions, targets), sample_weight=weights))


def _mean(values: Array, weights: Weights) -> float:
    """The mean over samples and columns, in which each sample has its weight."""
    if weights is None:
        return float(values.mean())
    return float(np.average(values, axis=0, weights=weights).mean())


def _classes(predictions: Array) -> Array:
    """The number of the most probable class of each sample; the first one of equals."""
    numbers: Array = predictions.argmax(axis=-1)
    return numbers


def _holds(predictions: Array) -> Array:
    """Which labels are predicted to hold, as 0 and 1."""
    return (predictions > 0.5).astype(np.int32)


def _quantities(predictions: Array, targets: Array) -> Array:
    """The predictions in the shape of the targets, in double precision."""
    return predictions.reshape(targets.shape).astype(np.float64)
