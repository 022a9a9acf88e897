"""Multi-label: for each of several labels, the probability that it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evonas.errors import Issue
from evonas.learning.formulas import Array
from evonas.learning.metrics import (
    BINARY_CROSS_ENTROPY,
    EXACT_MATCH,
    LABEL_ACCURACY,
    LABEL_AUC,
    LABEL_F1,
)
from evonas.learning.tasks.quantities import columns_in_words
from evonas.learning.tasks.task import Head, LearningTask, Strata, is_one_hot, only_0_and_1

SAMPLES_PER_STRATUM = 10
"""A combination of labels is a stratum of its own if it has as many samples. All others are one."""


class Multilabel(LearningTask):
    """Targets are rows of 0 and 1 or booleans, (samples, labels): several of a row may be 1.

    Predictions are probabilities, (samples, labels). They do not sum to 1.
    """

    name = "multilabel"
    metrics = (BINARY_CROSS_ENTROPY, LABEL_ACCURACY, EXACT_MATCH, LABEL_F1, LABEL_AUC)
    are_quantities = False
    constant_in_words = "how often each label holds in the training data"

    def guess(self, y: Array) -> str:
        if y.ndim != 2 or not only_0_and_1(y):
            return ""
        return (
            f"each sample has {y.shape[1]} targets of 0 or 1; for quantities, write"
            " `task: regression`"
        )

    def issues(self, targets: Mapping[str, Array], origin: str) -> list[Issue]:
        found = []
        for key, y in targets.items():
            if message := _wrong_rows(y, key):
                found.append(Issue(message, key, origin))
        if found:
            return found
        y = targets["y"]
        if len(constant_labels(y)) == y.shape[1]:
            message = (
                "multilabel needs labels that differ between samples."
                " Received: the same value in all samples for each label."
            )
            found.append(Issue(message, "y", origin))
        return found

    def notes(self, y: Array) -> list[str]:
        found = []
        if constant := constant_labels(y):
            has = "has" if len(constant) == 1 else "have"
            found.append(
                f"y: {columns_in_words(constant)} {has} the same value in all samples, so there is"
                " nothing to learn of that label."
            )
        if is_one_hot(y):
            found.append(
                "y: each sample has exactly one label. For classes that exclude each other, write"
                " y.argmax(axis=1) and `task: classification`."
            )
        return found

    def labels(self, y: Array, names: Sequence[str] = ()) -> Array:
        return np.array(names) if names else np.arange(y.shape[1])

    def encode(self, y: Array, labels: Array) -> Array:
        return y.astype(np.int32)

    def strata(self, encoded: Array, labels: Array) -> Strata | None:
        """The combinations of labels.

        The rare ones are one stratum together. None if nothing else is left, or if there are too
        few of the rare ones for a stratum.
        """
        rows, numbers, counts = np.unique(encoded, axis=0, return_inverse=True, return_counts=True)
        is_rare = counts < SAMPLES_PER_STRATUM
        rare = int(counts[is_rare].sum())
        if is_rare.all() or 0 < rare < SAMPLES_PER_STRATUM:
            return None
        names = [" ".join(map(str, row)) for row in rows[~is_rare].tolist()]
        places = np.cumsum(~is_rare) - 1
        if rare:
            places[is_rare] = len(names)
            names.append("other combinations")
        return Strata(places[numbers.reshape(-1)], tuple(names))

    def head(self, outputs: int) -> Head:
        return Head(outputs, "sigmoid", loss="BinaryCrossentropy", metric="BinaryAccuracy")

    def constant(self, train: Array, outputs: int, weights: Array | None = None) -> Array:
        """How often each label holds."""
        return np.average(train, axis=0, weights=weights).reshape(outputs)

    def examples(self, rng: np.random.Generator, count: int, outputs: int) -> Array:
        return rng.integers(0, 2, (count, outputs)).astype(np.int32)


def constant_labels(y: Array) -> list[int]:
    """The columns that are the same in all samples."""
    found: list[int] = np.flatnonzero((y == y[0]).all(axis=0)).tolist()
    return found


def _wrong_rows(y: Array, key: str) -> str:
    """Why these are no labels; empty if they are."""
    wanted = "multilabel needs rows of 0 and 1 or booleans, (samples, labels)"
    if y.ndim != 2:
        one = "for one label a sample, write `task: classification`"
        return f"{wanted}; {one}. Received: shape {y.shape}."
    if y.dtype.kind == "U":
        return f"{wanted}. Received: dtype {y.dtype}."
    wrong = (y != 0) & (y != 1)
    if not wrong.any():
        return ""
    row, column = np.unravel_index(int(np.argmax(wrong)), y.shape)
    return f"{wanted}. Received: {y[row, column].item()!r} at {key}[{row}, {column}]."
