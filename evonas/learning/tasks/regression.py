"""Regression: one real number for each sample, in the user's units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonas.errors import Issue
from evonas.genome.strict_yaml import short
from evonas.learning.formulas import Array
from evonas.learning.metrics import ABSOLUTE_ERROR, R2, RMSE, SQUARED_ERROR
from evonas.learning.tasks.task import Head, LearningTask, are_numbers


class Regression(LearningTask):
    """Targets are quantities. Predictions are quantities, (samples, 1)."""

    name = "regression"
    metrics = (SQUARED_ERROR, ABSOLUTE_ERROR, RMSE, R2)
    are_quantities = True

    def guess(self, y: Array) -> str:
        labels = "for labels, write `task: classification`"
        if y.dtype.kind == "f":
            return f"the targets are floats; {labels}"
        count = len(np.unique(y))
        of = f"integers of {count} distinct values in {len(y)} samples"
        return f"the targets are {of}; {labels}"

    def issues(self, targets: Mapping[str, Array], origin: str) -> list[Issue]:
        found = []
        for key, y in targets.items():
            if y.dtype.kind == "U":
                message = f"regression needs numbers; {_advice_for_words(y)}"
                found.append(Issue(message, key, origin))
        if found:
            return found
        y = targets["y"]
        if np.all(y == y[0]):
            message = f"regression needs targets that differ. Received: only {y[0].item()!r}."
            found.append(Issue(message, "y", origin))
        return found

    def encode(self, y: Array, labels: Array) -> Array:
        # Predictions are scored against the targets as they were given.
        return y.astype(np.float64)

    def head(self, classes: int) -> Head:
        return Head(
            1,
            "linear",
            loss="MeanSquaredError",
            metric="MeanAbsoluteError",
            is_scaled=True,
        )

    def constant(self, train: Array, outputs: int) -> Array:
        """The mean of the targets."""
        return np.array([np.mean(train, dtype=np.float64)])

    def examples(self, rng: np.random.Generator, count: int, outputs: int) -> Array:
        return rng.normal(size=count)


def _advice_for_words(y: Array) -> str:
    """What to do about words for which numbers are wanted."""
    received = f"Received: {short(str(y[0]))!r}."
    if are_numbers(y):
        return f"for numbers in words, write y.astype(float). {received}"
    return f"for words, write `task: classification`. {received}"
