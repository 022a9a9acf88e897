"""When a training ends, and which of its epochs counts: functions of its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas.evaluate.training.learning_curve import CurveRule, stopped
from evonas.trial import Objective, Stopped

History = Sequence[Mapping[str, float]]
"""The metrics of each epoch; every row has a finite value of the objective."""


@dataclass(frozen=True)
class TrainingPolicy:
    """The rules of one training. Each answer follows from the history alone.

    So a training that is stopped and continued ends with the same epoch as one that never stopped.

    Attributes:
        objective: one of the metrics in the history. None if the last epoch counts, and not the
            best: there is nothing to judge the epochs by.
        patience: number of epochs without a better objective after which the training ends;
            None for all epochs.
        curve: rule that ends a training whose learning curve cannot reach the incumbent, or
            None.

    Raises:
        ValueError: the patience is below 1, or a rule has no objective.
    """

    objective: Objective | None
    patience: int | None = None
    curve: CurveRule | None = None

    def __post_init__(self) -> None:
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience must be at least 1, or None. Received: {self.patience}.")
        if self.objective is None and (self.patience, self.curve) != (None, None):
            raise ValueError("a patience or a curve needs an objective. Received: none.")

    def best_epoch(self, history: History) -> int:
        """The position of the epoch that is best by the objective, counted from 0.

        Args:
            history: at least one epoch.

        Raises:
            ValueError: an epoch has no finite value of the objective.
        """
        if self.objective is None:
            return len(history) - 1
        keys = [_key(self.objective, row) for row in history]
        # `index` finds the earliest of equals: a later epoch must be better to count.
        return keys.index(min(keys))

    def is_exhausted(self, history: History) -> bool:
        """Whether the last `patience` epochs have all failed to be better than the best before."""
        if self.patience is None or not history:
            return False
        last = len(history) - 1
        without_improvement = last - self.best_epoch(history)
        return without_improvement >= self.patience

    def stopped(self, history: History) -> Stopped | None:
        """The stop that the learning curve has decided, or None."""
        if self.objective is None:
            return None
        return stopped(history, self.objective, self.curve)

    def is_over(self, history: History, epochs: int) -> bool:
        """Whether a training of so many epochs ends after this history."""
        if len(history) >= epochs:
            return True
        return self.is_exhausted(history) or self.stopped(history) is not None


def _key(objective: Objective, row: Mapping[str, float]) -> float:
    """The objective in this epoch as a number that is smaller the better it is."""
    fitness = objective.fitness(row)
    if fitness is None:
        name = objective.name
        raise ValueError(f"the history has no finite {name!r}. Received: {sorted(row)}.")
    return fitness.key
