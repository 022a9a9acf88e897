"""Which epoch is the best one, and when a training that no longer improves ends: functions of its history alone."""

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
    return min(range(len(history)), key=lambda epoch: _key(history[epoch], objective))


def is_exhausted(history: Sequence[Row], objective: Objective, patience: int | None) -> bool:
    """Whether the last `patience` epochs have all failed to be better than the best one before them.

    Args:
        patience: at least 1, or None for a training that never ends early.
    """
    if patience is None or not history:
        return False
    return len(history) - 1 - best_epoch(history, objective) >= patience


def _key(row: Row, objective: Objective) -> float:
    fitness = objective.fitness(row)
    if fitness is None:
        raise ValueError(f"the history has no finite {objective.name!r}. Received: {sorted(row)}.")
    return fitness.key
