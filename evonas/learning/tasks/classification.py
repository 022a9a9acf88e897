"""Classification: the probability of each of a few classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.errors import Issue
from evonas.learning.formulas import Array
from evonas.learning.metrics import ACCURACY, AUC, BALANCED_ACCURACY, CROSS_ENTROPY, F1_MACRO
from evonas.learning.tasks.task import (
    Head,
    LearningTask,
    Strata,
    are_numbers,
    is_one_hot,
    only_0_and_1,
)

MOST_CLASSES = 100
SAMPLES_PER_CLASS = 5
"""Integer targets are guessed to be labels if they have few distinct values, each of them often."""

LARGEST_LABEL = 2.0**53
"""The largest label that may be a float. Beyond it, neighbouring whole numbers are one float."""


class Classification(LearningTask):
    """Targets are labels: words, booleans or whole numbers. Encoded, they are class numbers.

    A class has the number of its place among the sorted labels. Predictions are probabilities,
    (samples, classes).
    """

    name = "classification"
    metrics = (CROSS_ENTROPY, ACCURACY, BALANCED_ACCURACY, F1_MACRO, AUC)
    are_quantities = False
    constant_in_words = "the shares of the classes in the training data"

    def guess(self, y: Array) -> str:
        if y.ndim == 2:
            more = "for labels of which several may hold, write `task: multilabel`"
            return f"the rows are one-hot; {more}" if is_one_hot(y) else ""
        quantities = "for quantities, write `task: regression`"
        if y.dtype.kind == "U":
            more = "; for numbers, write y.astype(float)" if are_numbers(y) else ""
            return f"the targets are words{more}"
        if y.dtype.kind == "b":
            return f"the targets are booleans; {quantities}"
        if y.dtype.kind == "f":
            return ""
        # Integers may be labels or quantities.
        count = len(np.unique(y))
        if count > MOST_CLASSES or count * SAMPLES_PER_CLASS > len(y):
            return ""
        return f"the targets are integers of {count} distinct values; {quantities}"

    def issues(self, targets: Mapping[str, Array], origin: str) -> list[Issue]:
        found = []
        for key, y in targets.items():
            found += _check_axes(y, key, origin) or _check_whole(y, key, origin)
        # The classes are known only if all labels are good.
        if found:
            return found
        labels = np.unique(targets["y"])
        if len(labels) == 1:
            only = labels[0].item()
            message = f"classification needs at least two classes. Received: only {only!r}."
            found.append(Issue(message, "y", origin))
        for key, y in targets.items():
            if key != "y":
                found += _check_known(y, key, labels, origin)
        return found

    def labels(self, y: Array, names: Sequence[str] = ()) -> Array:
        found: Array = np.unique(_whole(y))
        return found

    def encode(self, y: Array, labels: Array) -> Array:
        return np.searchsorted(labels, _whole(y)).astype(np.int32)

    def strata(self, encoded: Array, labels: Array) -> Strata | None:
        return Strata(encoded, tuple(labels.tolist()))

    def head(self, outputs: int) -> Head:
        return Head(
            outputs,
            "softmax",
            loss="SparseCategoricalCrossentropy",
            metric="SparseCategoricalAccuracy",
        )

    def constant(self, train: Array, outputs: int, weights: Array | None = None) -> Array:
        """How often each class occurs."""
        count = len(train) if weights is None else weights.sum()
        shares: Array = np.bincount(train, weights, minlength=outputs) / count
        return shares

    def told(self, classes: Sequence[Any], answers: Array) -> tuple[list[str], list[list[Any]]]:
        """The most probable label, and the probability of each."""
        names = ["prediction", *(f"p_{label}" for label in classes)]
        rows = []
        for row in answers.tolist():
            best = max(range(len(row)), key=row.__getitem__)
            rows.append([classes[best], *row])
        return names, rows

    def examples(self, rng: np.random.Generator, count: int, outputs: int) -> Array:
        return np.arange(count) % outputs


def _whole(labels: Array) -> Array:
    """Labels with whole floats as integers; others as they are."""
    if labels.dtype.kind == "f":
        return labels.astype(np.int64)
    return labels


def _check_axes(y: Array, key: str, origin: str) -> list[Issue]:
    """Several targets a sample, and what to do about them."""
    if y.ndim == 1:
        return []
    advice = "Leave all columns out but one."
    if is_one_hot(y):
        advice = "For one-hot rows, which these are, write y.argmax(axis=1)."
    elif only_0_and_1(y):
        advice = "For labels of which several may hold, write `task: multilabel`."
    message = (
        f"classification needs one axis, one label a sample. Received: shape {y.shape}. {advice}"
    )
    return [Issue(message, key, origin)]


def _check_whole(y: Array, key: str, origin: str) -> list[Issue]:
    """The first label that is a fraction, or too large a float."""
    if y.dtype.kind != "f":
        return []
    wrong = (y != np.floor(y)) | (np.abs(y) > LARGEST_LABEL)
    if not wrong.any():
        return []
    first = int(np.argmax(wrong))
    message = (
        "class labels must be whole numbers (as floats: up to 2**53), words or booleans;"
        " for quantities, write `task: regression`."
        f" Received: {y[first]} at {key}[{first}]."
    )
    return [Issue(message, key, origin)]


def _check_known(given: Array, key: str, labels: Array, origin: str) -> list[Issue]:
    """The first label of a part that is given, and that no sample of `x` has.

    No output of the network stands for such a label.
    """
    if (labels.dtype.kind == "U") != (given.dtype.kind == "U"):
        message = (
            f"the labels must be of the kind of those in y, {labels.dtype}."
            f" Received: {given.dtype}."
        )
        return [Issue(message, key, origin)]
    unknown = ~np.isin(given, labels)
    if not unknown.any():
        return []
    first = int(np.argmax(unknown))
    label = given[first].item()
    # There may be thousands of labels.
    known = ", ".join(str(one) for one in labels[:20])
    if len(labels) > 20:
        known += ", ..."
    message = (
        f"holds a label that y does not. Allowed: {known}. Received: {label!r} at {key}[{first}]."
    )
    return [Issue(message, key, origin)]
