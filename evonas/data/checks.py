"""What is wrong with a user's arrays: every issue at once, each with the place of the first bad
value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonas.data.arrays import GIVEN, Arrays
from evonas.data.raw import Array, chunks
from evonas.errors import Issue
from evonas.genome import library, strict_yaml
from evonas.genome.strict_yaml import short
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.tasks import LearningTask
from evonas.learning.tasks.task import are_numbers
from evonas.words import counted

CHANNELS = (1, 3, 4)
"""The usual numbers of channels: grey, colour, colour with opacity."""

LARGEST = 1e18
"""The largest size of a number that a network is given or asked for.

Its square must be a 32-bit float.
"""


def check_samples(arrays: Arrays, kind: str) -> list[Issue]:
    """Issues of all samples, and of the lengths of all arrays."""
    origin = arrays.origin
    named = arrays.named()
    samples = named["x"]
    issues = _check_x(samples, "x", kind, origin)
    if not issues:
        issues = _check_differ(samples, "x", origin)
    for x, y in ("x", "y"), *GIVEN.values():
        if x not in named:
            continue
        # An `x` without any axis is an issue of its own. It has no samples to compare with.
        if x != "x" and samples.ndim:
            issues += _check_given_x(named[x], x, samples, kind, origin)
        issues += _check_lengths(named, x, y, origin)
    return issues


def check_given(x: Array, shape: tuple[int, ...], kind: str, origin: str) -> list[Issue]:
    """Issues of samples for a model whose samples have this shape."""
    if x.ndim and x.shape[1:] == shape:
        return _check_x(x, "x", kind, origin)
    message = f"the model takes samples of shape {shape}. Received: an array of shape {x.shape}."
    return [Issue(message, "x", origin)]


def check_counts(arrays: Arrays) -> list[Issue]:
    """Issues of the numbers of samples and targets, for samples of any form."""
    named = arrays.named()
    issues = []
    for x, y in ("x", "y"), *GIVEN.values():
        if x not in named or not named[y].ndim or len(named[x]) == len(named[y]):
            continue
        received = f"{len(named[y])} in {y}, {len(named[x])} in {x}"
        message = f"needs one target for each sample. Received: {received}."
        issues.append(Issue(message, y, arrays.origin))
    return issues


def check_targets(arrays: Arrays) -> list[Issue]:
    """Issues of all targets that do not depend on the task."""
    issues = []
    for key, y in _targets(arrays).items():
        found = _check_y(y, key, arrays.origin)
        # What is wrong with `y` needs no second word.
        if not found and key != "y" and y.shape[1:] != arrays.y.shape[1:]:
            wanted = f"must have the columns of y, {_columns(arrays.y)}"
            found = [Issue(f"{wanted}. Received: {_columns(y)}.", key, arrays.origin)]
        issues += found
    return issues + check_names(arrays)


def _columns(y: Array) -> str:
    """The number of columns of targets, in words."""
    return "a single one" if y.ndim == 1 else str(y.shape[1])


def check_names(arrays: Arrays) -> list[Issue]:
    """The names of targets, if there are any, must be as many."""
    names = arrays.target_names
    count = 1 if arrays.y.ndim < 2 else arrays.y.shape[1]
    if not names or (len(names) == count and len({*names}) == count):
        return []
    message = f"must be a name for each target, all different: y has {counted(count, 'target')}."
    message += f" Received: {short(', '.join(names))}."
    return [Issue(message, "target_names", arrays.origin)]


def check_task(arrays: Arrays, task: LearningTask) -> list[Issue]:
    """Issues of targets under this task. `check_targets` must have found none."""
    targets = _targets(arrays)
    issues = task.issues(targets, arrays.origin)
    # Words have no size.
    if issues or not task.are_quantities:
        return issues
    for key, y in targets.items():
        issues += _check_size(y, key, arrays.origin)
    return issues


def channels_first(x: Array, kind: str) -> list[str]:
    """A sentence if images look as if their channels came first; images are read otherwise."""
    if kind != "image" or x.ndim != 4:
        return []
    first, height, width = x.shape[1:]
    if first not in CHANNELS or width in CHANNELS or min(height, width) <= first:
        return []
    return [
        f"x: samples of shape {x.shape[1:]} are read as {first} rows of {height} pixels with"
        f" {width} channels each. If the channels come first, write x.transpose(0, 2, 3, 1)."
    ]


def _targets(arrays: Arrays) -> dict[str, Array]:
    """All targets by name, `y` first."""
    return {key: array for key, array in arrays.named().items() if key.startswith("y")}


def _check_x(x: Array, key: str, kind: str, origin: str) -> list[Issue]:
    """Issues of samples: their type, their axes and their values."""
    if x.dtype.kind not in "biuf":
        message = f"must hold numbers. {_received_dtype(x)}{_first_word(x, key)}"
        return [Issue(message, key, origin)]
    issues = []
    known = INPUT_KINDS[kind]
    if x.ndim - 1 not in known.axes:
        wanted = f"the space wants {kind} input"
        message = f"{wanted}, so that a sample has {known.axes_in_words}."
        message = f"{message} Received: samples of shape {x.shape[1:]}.{_other_spaces(x)}"
        issues.append(Issue(message, key, origin))
    if x.size == 0:
        issues.append(Issue(f"is empty. Received: shape {x.shape}.", key, origin))
        return issues
    # A single value has no axis to cut into chunks.
    values = np.atleast_1d(x)
    found = _check_finite(values, key, origin)
    # Infinite values are too large as well: one issue is enough.
    if not found:
        found = _check_size(values, key, origin)
    return issues + found


def _other_spaces(x: Array) -> str:
    """Which shipped spaces take such samples, in words; empty if none does."""
    found = []
    for name in library.names("spaces"):
        shipped = strict_yaml.load_file(library.find("spaces", name)).data
        kind = INPUT_KINDS[shipped["input"]]
        # Tables and texts are encoded: an array of numbers is neither.
        if x.ndim - 1 in kind.axes and not kind.example_fitted:
            found.append(f"`space: {name}`")
    return f" For such samples there are {', '.join(found)}." if found else ""


def _first_word(x: Array, key: str) -> str:
    """The first value of an array of words that is no number, and a cure; empty for others."""
    if x.dtype.kind != "U" or x.ndim == 0:
        return ""
    for start, rows in chunks(x):
        if are_numbers(rows):
            continue
        number = next(i for i, row in enumerate(rows) if not are_numbers(row))
        sample = rows[number : number + 1]
        wrong = np.array([not are_numbers(value) for value in sample.flat])
        value, index = _first(wrong.reshape(sample.shape), sample, start + number)
        column = f" (column {index.rpartition(' ')[2]}, counted from 0)" if x.ndim == 2 else ""
        return (
            f" {key}[{index}]{column}, the first that is no number, is {short(str(value))!r}."
            " Leave such a column out, or write a column of 0 and 1 for each of its words."
        )
    return f" All are numbers: write {key}.astype(float)."


def _check_differ(x: Array, key: str, origin: str) -> list[Issue]:
    """Samples that are all the same one, from which nothing can be learned."""
    # A single sample is too few, which is told elsewhere.
    if len(x) < 2:
        return []
    first = x[0]
    for _, rows in chunks(x):
        if (rows != first).any():
            return []
    values = "whose values differ"
    if (first == first.flat[0]).all():
        values = f"whose values are all {first.flat[0]}"
    message = f"needs samples that differ. Received: the same one {len(x):,} times, {values}."
    return [Issue(message, key, origin)]


def _check_given_x(given: Array, key: str, x: Array, kind: str, origin: str) -> list[Issue]:
    """Issues of the samples of a part that is given."""
    if given.shape[1:] == x.shape[1:]:
        return _check_x(given, key, kind, origin)
    message = (
        f"a sample must have the shape of a sample of x, {x.shape[1:]}. "
        f"Received: {given.shape[1:]}."
    )
    return [Issue(message, key, origin)]


def _check_lengths(named: Mapping[str, Array], x: str, y: str, origin: str) -> list[Issue]:
    """Samples and targets, given by name, must be equally many."""
    samples = named[x]
    targets = named[y]
    # An empty array is an issue of its own.
    if not samples.size or not targets.size:
        return []
    if samples.shape[:1] == targets.shape[:1]:
        return []
    message = (
        "needs one target for each sample."
        f" Received: {_length(targets)} in {y}, {_length(samples)} in {x}."
    )
    return [Issue(message, y, origin)]


def _length(array: Array) -> int | str:
    """The number of rows, in the words of a message."""
    if array.ndim == 0:
        return "a single value"
    return len(array)


def _check_y(y: Array, key: str, origin: str) -> list[Issue]:
    """Issues of targets that do not depend on the task."""
    if y.dtype.kind not in "biufU":
        return [Issue(f"must hold numbers or words. {_received_dtype(y)}", key, origin)]
    if y.ndim not in (1, 2):
        message = "must have one axis (one target a sample) or two (samples, targets)."
        return [Issue(f"{message} Received: shape {y.shape}.", key, origin)]
    if y.size == 0:
        return [Issue("is empty.", key, origin)]
    if y.ndim == 2 and len(y) == 1:
        message = (
            f"has a single row. Received: shape {y.shape}. For targets in one row, write y[0]."
        )
        return [Issue(message, key, origin)]
    if y.ndim == 2 and y.dtype.kind == "U":
        message = f"must be numbers if a sample has several targets. Received: shape {y.shape}"
        return [Issue(f"{message} of words.", key, origin)]
    return _check_finite(y, key, origin)


def _received_dtype(array: Array) -> str:
    """The type of an array, in the words of a message."""
    kind = array.dtype.kind
    if kind == "O":
        return "Received: Python objects (rows of different lengths, or mixed types)."
    received = f"Received: dtype {array.dtype}."
    if kind == "S":
        return f"{received} Write .astype(str) for words."
    if kind == "M":
        return f"{received} For days since a date, write (x - date) / numpy.timedelta64(1, 'D')."
    if kind == "m":
        return f"{received} For days, write x / numpy.timedelta64(1, 'D')."
    return received


def _check_finite(array: Array, key: str, origin: str) -> list[Issue]:
    """The first value that is not a finite 32-bit float, which networks compute with."""
    # Integers and words are always finite.
    if array.dtype.kind not in "f":
        return []
    for start, chunk in chunks(array):
        # A 64-bit float that is too large becomes infinite here. NumPy would warn of it.
        with np.errstate(over="ignore"):
            finite = np.isfinite(chunk.astype(np.float32))
        if finite.all():
            continue
        value, index = _first(~finite, chunk, start)
        more = "" if np.isfinite(value) else " (NaN and infinite values are not)"
        message = (
            f"must be finite 32-bit floats{more}."
            f" Received: {value} at {key}[{index}], the first such value."
        )
        return [Issue(message, key, origin)]
    return []


def _check_size(array: Array, key: str, origin: str) -> list[Issue]:
    """The first value whose square is beyond 32-bit floats.

    With such values, variances and losses would be infinite.
    """
    # Numbers of 8 or 16 bits cannot be that large.
    if array.dtype.kind not in "iuf" or array.dtype.itemsize < 4:
        return []
    for start, chunk in chunks(array):
        beyond = np.abs(chunk.astype(np.float64)) > LARGEST
        if not beyond.any():
            continue
        value, index = _first(beyond, chunk, start)
        message = (
            f"must be at most {LARGEST:g} in size,"
            " so that squares are 32-bit floats: use a larger unit."
            f" Received: {value} at {key}[{index}]."
        )
        return [Issue(message, key, origin)]
    return []


def _first(wrong: Array, chunk: Array, start: int) -> tuple[Any, str]:
    """The first wrong value of a chunk, and its index in the whole array as text.

    Args:
        wrong: truth values of the chunk's shape, at least one of them true.
        chunk: slice of the array.
        start: index of the chunk's first sample.
    """
    # `argmax` gives the first of the greatest values, which is the first true one.
    place = int(np.argmax(wrong))
    row, *others = np.unravel_index(place, chunk.shape)
    value = chunk[(row, *others)]
    index = [row + start, *others]
    return value, ", ".join(str(int(i)) for i in index)
