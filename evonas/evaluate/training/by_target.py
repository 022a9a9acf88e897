"""What each of several quantities scores by itself, in its own unit."""

from __future__ import annotations

import math
from collections.abc import Mapping

from evonas.learning.formulas import Array
from evonas.learning.interface import Interface
from evonas.learning.metrics import scores


def by_target(
    interface: Interface,
    prefix: str,
    y: Array,
    predictions: Array,
    weights: Array | None = None,
) -> Mapping[str, dict[str, float]]:
    """The metrics of the task for each target, without the loss.

    Args:
        prefix: prefix of the scores, such as `test`.
        y: (samples, targets).
        predictions: (samples, targets).

    Returns:
        Scores by the name of the target. Empty if there is only one target, or if targets are no
        quantities.
    """
    task = interface.learning_task
    if not task.are_quantities or interface.outputs == 1:
        return {}
    found = {}
    for number, name in enumerate(interface.output_names):
        _, *metrics = task.metrics
        scored = scores(metrics, y[:, number], predictions[:, number], weights)
        finite = {metric: value for metric, value in scored.items() if math.isfinite(value)}
        found[name] = {f"{prefix}_{metric}": value for metric, value in finite.items()}
    return found
