"""The loss and the metric of predictions, in NumPy: repeatable on the output of `model.predict`."""

from __future__ import annotations

from evonas.learning import metrics
from evonas.learning.formulas import LEAST_PROBABILITY, Array
from evonas.learning.interface import Interface

__all__ = ["LEAST_PROBABILITY", "scores"]


def scores(interface: Interface, y: Array, predictions: Array) -> dict[str, float]:
    """The standard metrics of the task; see `evonas.learning.metrics.scores`."""
    return metrics.scores(interface.learning_task.standard, y, predictions)
