"""What another model gains over the winner on the test data, by the metrics of the task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.parts import Part
from evonas.learning.gain import gain
from evonas.learning.interface import Interface
from evonas.learning.metrics import Metric


def gains_over(seed: int, interface: Interface, test: Part, answers: Array) -> dict[str, Any]:
    """The gain of these answers by each metric, as plain JSON; without a number it is left out.

    The user's own metrics have none: a bootstrap would call them hundreds of times.

    Args:
        test: test data, with the winner's answers.
    """
    found = {}
    for metric in interface.learning_task.standard:
        scores = _scorer(interface, metric, test, answers)
        of_winner = _scorer(interface, metric, test, test.predictions)
        if (difference := gain(scores, len(test.y), of_winner, seed)) is not None:
            found[metric.name] = difference.to_json()
    return found


def _scorer(
    interface: Interface, metric: Metric, test: Part, answers: Array
) -> Callable[[Array], float]:
    """Scores samples at some positions."""
    y = np.asarray(test.y)
    weights = None if test.weights is None else np.asarray(test.weights)

    def score(positions: Array) -> float:
        own = None if weights is None else weights[positions]
        return float(interface.scores([metric], y[positions], answers[positions], own)[metric.name])

    return score
