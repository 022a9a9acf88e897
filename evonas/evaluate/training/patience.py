"""The best epoch, and the end of a training that no longer improves: functions of its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas.trial import Objective

Row = Mapping[str, float]
"""The metrics of one epoch."""


def best_epoch(history: Sequence[Row], objective: Objective) -> int:
    """The position of the epoch that is best by the objective, the earliest of equals.

    Args:
        history: at least one epoch; every row has a finite value of the objective.
    """
    keys = [_key(row, objective) for row in history]
    # `index` finds the earliest of equals: a later epoch must be better to count as an improvement.
    return keys.index(min(keys))


def is_exhausted(history: Sequence[Row], objective: Objective, patience: int | None) -> bool:
    """Whether the last `patience` epochs have all failed to be better than the best one before.

    Args:
        patience: at least 1, or None for a training that never ends early.
    """
    if patience is None or not history:
        return False
    last = len(history) - 1
    without_improvement = last - best_epoch(history, objective)
    return without_improvement >= patience


def _key(row: Row, objective: Objective) -> float:
    """The objective in this epoch as a number that is smaller the better it is."""
    fitness = objective.fitness(row)
    if fitness is None:
        raise ValueError(f"the history has no finite {objective.name!r}. Received: {sorted(row)}.")
    return fitness.key
