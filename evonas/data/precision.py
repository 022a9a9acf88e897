"""What is lost when a user's numbers become 32-bit floats and are normalized.

Networks compute with 32-bit floats of about seven digits. Around 1.7e9, a moment in seconds, they
are 128 apart. A model then subtracts the mean of each column and divides by its standard deviation.
Both steps can make distinct values equal. Much of that is refused, and a little is told. A column
with one value from the beginning is told, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.columns import Measured, Vector, constants, count_of, measure
from evonas.data.raw import Array
from evonas.errors import Issue
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.tasks import LearningTask
from evonas.words import counted, listed

COARSE = 1e-3
"""Part of the standard deviation by which values may be rounded."""

NOISE = 1e-12
"""Part of the largest value below which a feature's deviation is rounding of 64-bit floats.

Such a feature is a constant that was computed, so that it is only told.
"""

LEAST_DIVISOR = 1e-7
"""Keras's normalization divides by no less: `keras.config.epsilon()`."""

LEAST_SCALE = 1e-18
"""The least standard deviation of targets: one over its square must be a 32-bit float."""

LOST = 0.5
"""Part of the distinct values that may become equal untold, if they are fractions.

Of thousands of fractions a few always do, most of all those near 0. None of them is seen apart.
"""

MOST_VALUES = 10_000
"""The most values of a column that are compared with each other."""

MOST_COMPARED = 2_000_000
"""The most values of all columns that are compared."""

MOST_NAMED = 5
"""The most columns that a sentence names."""


@dataclass(frozen=True)
class Precision:
    """What conversion and normalization do to arrays.

    Attributes:
        issues: what is refused.
        notes: sentences on what is lost, and may be; each begins with the array's name.
    """

    issues: tuple[Issue, ...]
    notes: tuple[str, ...]


def judge(arrays: Arrays, kind: str, task: LearningTask, are_encoded: bool = False) -> Precision:
    """What would be lost of samples, and of targets that are quantities.

    Args:
        arrays: arrays in which the checks have found nothing wrong.
        are_encoded: whether an encoding makes something else of the samples, and says itself what
            is lost.
    """
    tables = []
    constant: list[str] = []
    if not are_encoded:
        name = INPUT_KINDS[kind].column
        samples = _Table("x", name, _all(arrays, "x"), count_of(arrays.named()["x"], kind))
        tables.append(samples)
        constant = _about_constants(samples, kind)
    if task.are_quantities:
        columns = arrays.y.size // len(arrays.y)
        name = "target" if columns > 1 else ""
        tables.append(_Table("y", name, _all(arrays, "y"), columns))
    issues: list[Issue] = []
    notes: list[str] = []
    for table in tables:
        if table.is_exact:
            continue
        measured = measure(table.arrays, table.columns)
        found = _issues(table, measured)
        issues += [Issue(message, table.key, arrays.origin) for message in found]
        # What is refused needs no note.
        if not found:
            notes += [f"{table.key}: {note}" for note in _notes(table, measured)]
    return Precision(tuple(issues), (*notes, *constant))


def _all(arrays: Arrays, letter: str) -> list[Array]:
    """All samples (x), or all targets (y): first those to be split, then those that are given."""
    return [array for key, array in arrays.named().items() if key.startswith(letter)]


def _about_constants(table: _Table, kind: str) -> list[str]:
    """A note on columns with one value in all samples of `x`, whatever the given parts hold."""
    found = constants(table.arrays[0], kind)
    if not found:
        return []
    columns = list(found)
    if len(columns) == 1:
        value = f"{found[columns[0]]:.6g}"
        what = f"has the value {value} in all samples, and so tells a network nothing"
    else:
        what = "have one value each in all samples, and so tell a network nothing"
    return [f"{table.key}: {table.named(columns)} {what}."]


@dataclass(frozen=True, eq=False)
class _Table:
    """Arrays that are normalized together, column by column.

    Attributes:
        key: name of the first array.
        name: what a column is called; empty if there is only one and it has no name.
        arrays: the array itself, and those of the parts that are given.
        columns: number of columns.
    """

    key: str
    name: str
    arrays: Sequence[Array]
    columns: int

    @property
    def is_target(self) -> bool:
        return self.key == "y"

    @property
    def is_exact(self) -> bool:
        """Whether nothing can be lost: 32-bit floats tell 16-bit integers apart at any mean."""
        return all(array.dtype.kind in "biu" and array.itemsize <= 2 for array in self.arrays)

    @property
    def may_be_noise(self) -> bool:
        """Whether tiny deviations may be rounding of a constant that was computed."""
        return all(array.dtype.kind == "f" for array in self.arrays) and not self.is_target

    def named(self, found: Sequence[int]) -> str:
        """Columns by number: `feature 3 (counted from 0)`, `features 3, 7 and 12 more`."""
        if not self.name:
            return "the targets"
        if len(found) == 1:
            return f"{self.name} {found[0]} (counted from 0)"
        shown = [str(column) for column in found[:MOST_NAMED]]
        more = len(found) - len(shown)
        if more:
            shown.append(f"{more:,} more")
        return f"{self.name}s {listed(shown)} (counted from 0)"

    def of(self, found: Sequence[int]) -> str:
        """Whose numbers follow: those of the first of several columns."""
        if len(found) == 1 or not self.name:
            return ""
        return f" of {self.name} {found[0]}"


def _issues(table: _Table, measured: Measured) -> list[str]:
    """What is refused."""
    deviation = measured.deviation
    # A constant has no deviation to compare with.
    coarse = measured.varies & (measured.rounding > COARSE * deviation)
    if table.may_be_noise:
        coarse &= deviation > NOISE * measured.size
    found = np.flatnonzero(coarse).tolist()
    if found:
        return [_too_coarse(table, measured, found)]
    narrow = np.flatnonzero(deviation < LEAST_SCALE).tolist()
    if table.is_target and narrow:
        have = "has" if len(narrow) == 1 and table.name else "have"
        return [
            f"{table.named(narrow)} {have} a standard deviation of {deviation[narrow[0]]:.4g}, and"
            f" need at least {LEAST_SCALE:g}: use a smaller unit."
        ]
    return []


def _too_coarse(table: _Table, measured: Measured, found: Sequence[int]) -> str:
    """A sentence about columns that differ by less than 32-bit floats can tell."""
    first = found[0]
    # The smallest normal 32-bit float is 1.2e-38.
    is_tiny = measured.size[first] < np.finfo(np.float32).tiny / COARSE
    advice = "use a smaller unit" if is_tiny else "subtract an offset"
    differ = "differ" if len(found) > 1 or not table.name else "differs"
    return (
        f"{table.named(found)} {differ} by less than 32-bit floats can tell at that size,"
        f" and networks compute with those: {advice}."
        f" The values{table.of(found)} have a size of up to {measured.size[first]:.6g}"
        f" and a standard deviation of {measured.deviation[first]:.4g},"
        f" and are rounded by up to {measured.rounding[first]:.4g}."
    )


def _notes(table: _Table, measured: Measured) -> list[str]:
    """What is told."""
    block = _some_values(table)
    divisor = np.sqrt(measured.scale)
    if not table.is_target:
        divisor = np.maximum(divisor, LEAST_DIVISOR)
    before = _distinct(block)
    after = _distinct(_normalized(block, measured.mean, divisor))
    allowed = np.where(_is_whole(block), 0.0, LOST * before)
    merged = measured.varies & (before - after > allowed)
    # Behind the normalization, other columns have a deviation of 1.
    faint = measured.varies & (measured.deviation < divisor / 2) & ~merged
    notes = []
    if merged.any():
        found = np.flatnonzero(merged).tolist()
        first = found[0]
        values = counted(int(before[first]), "distinct value")
        notes.append(
            f"values of {table.named(found)} become equal, because the model subtracts the mean"
            f" from them, in 32-bit floats. {values}{table.of(found)}, of {len(block):,} compared,"
            f" become {int(after[first]):,}. The largest size is {measured.size[first]:.6g}, the"
            f" standard deviation {measured.deviation[first]:.4g}: subtract an offset, or take"
            " outliers out."
        )
    if faint.any():
        found = np.flatnonzero(faint).tolist()
        first = found[0]
        notes.append(
            f"values of {table.named(found)} vary too little to be seen. The standard"
            f" deviation{table.of(found)} is {measured.deviation[first]:.4g}, and the model divides"
            f" by {divisor[first]:.4g}: use a smaller unit, or leave it out."
        )
    return notes


def _some_values(table: _Table) -> Array:
    """Values (n, columns) from the whole length of an array, each column sorted by itself."""
    array = table.arrays[0]
    wanted = max(2, min(MOST_VALUES, MOST_COMPARED // table.columns))
    of_a_sample = array.size // len(array) // table.columns
    samples = max(16, wanted // of_a_sample)
    places = np.linspace(0, len(array) - 1, min(samples, len(array)))
    rows = array[places.astype(np.intp)].reshape(-1, table.columns)
    step = -(-len(rows) // wanted)
    return np.sort(rows[::step], axis=0)


def _normalized(block: Array, mean: Vector, divisor: Vector) -> Array:
    """The values that a network gets, in its own arithmetic; the order stays."""
    centred = block.astype(np.float32) - mean.astype(np.float32)
    normalized: Array = centred / divisor.astype(np.float32)
    return normalized


def _distinct(block: Array) -> Vector:
    """The number of distinct values of each sorted column."""
    steps: Vector = (block[1:] != block[:-1]).sum(axis=0, dtype=np.float64)
    return steps + 1


def _is_whole(block: Array) -> Any:
    """For each column, whether it holds whole numbers alone, which may count or name something."""
    if block.dtype.kind != "f":
        return True
    return (block == np.floor(block)).all(axis=0)
