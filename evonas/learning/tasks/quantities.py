"""What the tasks have in common whose targets are quantities: one number a sample, or several."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence

import numpy as np

from evonas.errors import Issue
from evonas.genome.strict_yaml import short
from evonas.learning.formulas import Array
from evonas.learning.metrics import ABSOLUTE_ERROR, R2, RMSE, SQUARED_ERROR
from evonas.learning.tasks.task import Head, LearningTask, are_numbers
from evonas.words import listed

MOST_NAMED = 5
"""The most columns that a sentence names."""


class Quantities(LearningTask, ABC):
    """Targets are quantities, (samples,) or (samples, targets). Predictions are quantities, too,
    (samples, outputs).

    Of several targets, each one is standardized by its own mean and deviation. So none of them
    rules the training, whatever its unit is, and none rules the loss; see `Interface.scores`. All
    other metrics are in the units of the user: their values are means over the targets.
    """

    metrics = (SQUARED_ERROR, ABSOLUTE_ERROR, RMSE, R2)
    are_quantities = True
    constant_in_words = "the mean of the training targets"

    def issues(self, targets: Mapping[str, Array], origin: str) -> list[Issue]:
        found = []
        for key, y in targets.items():
            if y.dtype.kind == "U":
                message = f"{self.name} needs numbers; {_advice_for_words(y)}"
                found.append(Issue(message, key, origin))
        if found:
            return found
        y = targets["y"]
        columns = y.reshape(len(y), -1)
        constant = np.flatnonzero((columns == columns[0]).all(axis=0)).tolist()
        if constant:
            only = columns[0, constant[0]].item()
            where = "" if y.ndim == 1 else f" in {columns_in_words(constant)}"
            message = f"{self.name} needs targets that differ. Received: only {only!r}{where}."
            found.append(Issue(message, "y", origin))
        return found

    def encode(self, y: Array, labels: Array) -> Array:
        # Predictions are scored against the targets as they were given.
        return y.astype(np.float64)

    def head(self, outputs: int) -> Head:
        return Head(
            outputs,
            "linear",
            loss="MeanSquaredError",
            metric="MeanAbsoluteError",
            is_scaled=True,
        )

    def constant(self, train: Array, outputs: int, weights: Array | None = None) -> Array:
        """The mean of each target."""
        return np.average(train, axis=0, weights=weights).reshape(outputs)

    def examples(self, rng: np.random.Generator, count: int, outputs: int) -> Array:
        return rng.normal(size=count if outputs == 1 else (count, outputs))


def columns_in_words(found: Sequence[int]) -> str:
    """`column 3 (counted from 0)`, `columns 3, 7 and 12 more (counted from 0)`."""
    if len(found) == 1:
        return f"column {found[0]} (counted from 0)"
    shown = [str(column) for column in found[:MOST_NAMED]]
    more = len(found) - len(shown)
    if more:
        shown.append(f"{more:,} more")
    return f"columns {listed(shown)} (counted from 0)"


def _advice_for_words(y: Array) -> str:
    """What to do about words for which numbers are wanted."""
    received = f"Received: {short(str(y.flat[0]))!r}."
    if are_numbers(y):
        return f"for numbers in words, write y.astype(float). {received}"
    return f"for words, write `task: classification`. {received}"
