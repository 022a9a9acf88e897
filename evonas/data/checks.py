"""What is wrong with a user's arrays: every problem at once, each with the place of the first bad value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from evonas.data.sources import Array, Arrays
from evonas.errors import Issue
from evonas.learning.interface import InputKind, TaskKind

AXES: Mapping[InputKind, tuple[str, tuple[int, ...]]] = {
    "image": ("2 axes (height, width) or 3 axes (height, width, channels)", (2, 3)),
    "sequence": ("1 axis (time) or 2 axes (time, channels)", (1, 2)),
    "vector": ("1 axis (features)", (1,)),
}
"""Per kind of input, the axes that one sample may have: in words, and as numbers."""

LARGEST = 1e18
"""The greatest size of a number that a network is given or asked for: its square must be a 32-bit float."""

CHUNK = 1 << 22
"""Values looked at in one go, so that no second copy of large arrays is made."""


def chunks(array: Array) -> Iterator[tuple[int, Array]]:
    """Slices along the first axis of about `CHUNK` values, each with the index of its first sample."""
    rows = max(1, CHUNK // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows]


def check_samples(arrays: Arrays, kind: InputKind) -> list[Issue]:
    """Problems with `x` and `x_test`, and with the lengths of all arrays."""
    problems = _check_x(arrays.x, "x", kind, arrays.origin)
    if arrays.x_test is not None and arrays.x.ndim:
        if arrays.x_test.shape[1:] != arrays.x.shape[1:]:
            message = (
                f"a test sample must have the shape of a sample of x, {arrays.x.shape[1:]}. "
                f"Received: {arrays.x_test.shape[1:]}."
            )
            problems.append(Issue(message, "x_test", arrays.origin))
        else:
            problems += _check_x(arrays.x_test, "x_test", kind, arrays.origin)
    named = arrays.named()
    for x, y in (("x", "y"), ("x_test", "y_test")):
        both = (
            x in named and y in named and named[x].size and named[y].size
        )  # emptiness is a problem of its own
        if both and named[x].shape[:1] != named[y].shape[:1]:
            lengths = [
                array.shape[0] if array.ndim else "a single value" for array in (named[y], named[x])
            ]
            message = f"needs one target for each sample. Received: {lengths[0]} in {y}, {lengths[1]} in {x}."
            problems.append(Issue(message, y, arrays.origin))
    return problems


def check_targets(arrays: Arrays) -> list[Issue]:
    """Problems with `y` and `y_test` that do not depend on the task."""
    named = arrays.named()
    return [
        problem
        for key in ("y", "y_test")
        if key in named
        for problem in _check_y(named[key], key, arrays.origin)
    ]


def check_task(arrays: Arrays, task: TaskKind) -> list[Issue]:
    """Problems with targets, good in themselves, under this task."""
    return _check_labels(arrays) if task == "classification" else _check_quantities(arrays)


def whole(labels: Array) -> Array:
    """Labels with whole floats as integers; others as they are."""
    return labels.astype(np.int64) if labels.dtype.kind == "f" else labels


def _check_x(x: Array, key: str, kind: InputKind, origin: str) -> list[Issue]:
    words, axes = AXES[kind]
    if x.dtype.kind not in "biuf":
        return [Issue(f"must hold numbers. {_received_dtype(x)}", key, origin)]
    problems = []
    if x.ndim - 1 not in axes:
        message = f"the space wants {kind} input, so that a sample has {words}."
        problems.append(Issue(f"{message} Received: samples of shape {x.shape[1:]}.", key, origin))
    if x.size == 0:
        return [*problems, Issue(f"is empty. Received: shape {x.shape}.", key, origin)]
    return problems + (
        _check_finite(np.atleast_1d(x), key, origin) or _check_size(np.atleast_1d(x), key, origin)
    )


def _check_y(y: Array, key: str, origin: str) -> list[Issue]:
    if y.dtype.kind not in "biufU":
        return [Issue(f"must hold numbers or words. {_received_dtype(y)}", key, origin)]
    if y.ndim != 1:
        hint = " For one-hot rows, write y.argmax(axis=1)." if y.ndim == 2 else ""
        return [
            Issue(
                f"must have one axis, one target a sample. Received: shape {y.shape}.{hint}",
                key,
                origin,
            )
        ]
    if y.size == 0:
        return [Issue("is empty.", key, origin)]
    return _check_finite(y, key, origin)


def _received_dtype(array: Array) -> str:
    if array.dtype.kind == "O":
        return "Received: Python objects (rows of different lengths, or mixed types)."
    return f"Received: dtype {array.dtype}."


def _check_finite(array: Array, key: str, origin: str) -> list[Issue]:
    """The first value that is not a finite 32-bit float; the numbers that networks compute with."""
    if array.dtype.kind not in "f":
        return []
    for start, chunk in chunks(array):
        with np.errstate(over="ignore"):
            finite = np.isfinite(chunk.astype(np.float32))
        if not finite.all():
            first = np.unravel_index(int(np.argmin(finite)), chunk.shape)
            value = chunk[first]
            index = ", ".join(str(int(i)) for i in (first[0] + start, *first[1:]))
            more = "" if np.isfinite(value) else " (NaN and infinite values are not)"
            message = f"must be finite 32-bit floats{more}. Received: {value} at {key}[{index}], the first such value."
            return [Issue(message, key, origin)]
    return []


def _check_size(array: Array, key: str, origin: str) -> list[Issue]:
    """The first value whose square is beyond 32-bit floats: variances and losses would be infinite."""
    if array.dtype.kind not in "iuf" or array.dtype.itemsize < 4:
        return []
    for start, chunk in chunks(array):
        beyond = np.abs(chunk.astype(np.float64)) > LARGEST
        if beyond.any():
            first = np.unravel_index(int(np.argmax(beyond)), chunk.shape)
            index = ", ".join(str(int(i)) for i in (first[0] + start, *first[1:]))
            message = f"must be at most {LARGEST:g} in size, so that squares are 32-bit floats: use a larger unit."
            return [Issue(f"{message} Received: {chunk[first]} at {key}[{index}].", key, origin)]
    return []


def _check_labels(arrays: Arrays) -> list[Issue]:
    named = {key: array for key, array in arrays.named().items() if key in ("y", "y_test")}
    problems = [
        problem for key, y in named.items() for problem in _check_whole(y, key, arrays.origin)
    ]
    if problems:
        return problems
    labels = np.unique(arrays.y)
    if len(labels) == 1:
        message = f"classification needs at least two classes. Received: only {labels[0].item()!r}."
        problems.append(Issue(message, "y", arrays.origin))
    if arrays.y_test is not None:
        problems += _check_known(arrays.y_test, labels, arrays.origin)
    return problems


LARGEST_LABEL = 2.0**53
"""Beyond it, neighbouring whole numbers are one and the same float."""


def _check_whole(y: Array, key: str, origin: str) -> list[Issue]:
    if y.dtype.kind != "f":
        return []
    wrong = (y != np.floor(y)) | (np.abs(y) > LARGEST_LABEL)
    if not wrong.any():
        return []
    first = int(np.argmax(wrong))
    allowed = "whole numbers (as floats: up to 2**53), words or booleans"
    message = f"class labels must be {allowed}; for quantities, write `task: regression`."
    return [Issue(f"{message} Received: {y[first]} at {key}[{first}].", key, origin)]


def _check_known(y_test: Array, labels: Array, origin: str) -> list[Issue]:
    """Labels of the test set that no training sample carries, so that no output stands for them."""
    if (labels.dtype.kind == "U") != (y_test.dtype.kind == "U"):
        message = f"the labels must be of the kind of those in y, {labels.dtype}. Received: {y_test.dtype}."
        return [Issue(message, "y_test", origin)]
    unknown = ~np.isin(y_test, labels)
    if not unknown.any():
        return []
    first = int(np.argmax(unknown))
    known = ", ".join(str(label) for label in labels[:20]) + (", ..." if len(labels) > 20 else "")
    message = f"holds a label that y does not. Allowed: {known}. Received: {y_test[first].item()!r} at y_test[{first}]."
    return [Issue(message, "y_test", origin)]


def _check_quantities(arrays: Arrays) -> list[Issue]:
    problems = [
        Issue(
            "regression needs numbers; for words, write `task: classification`.", key, arrays.origin
        )
        for key, y in arrays.named().items()
        if key in ("y", "y_test") and y.dtype.kind == "U"
    ]
    if not problems:
        problems = [
            problem
            for key, y in arrays.named().items()
            if key in ("y", "y_test")
            for problem in _check_size(y, key, arrays.origin)
        ]
    if not problems and np.all(arrays.y == arrays.y[0]):
        message = f"regression needs targets that differ. Received: only {arrays.y[0].item()!r}."
        problems.append(Issue(message, "y", arrays.origin))
    return problems
