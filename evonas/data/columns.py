"""The columns of an array, measured piece by piece: features of a table, channels of an image or a
sequence, or the targets as a single column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.data.raw import Array, chunks
from evonas.learning.input_kinds import INPUT_KINDS

CONSTANT = 1e-9
"""Part of the mean below which a standard deviation is only rounding.

Neighbouring 32-bit floats differ by more.
"""

Vector = NDArray[np.float64]


def count_of(x: Array, kind: str) -> int:
    """The number of columns: one for each channel (image, sequence) or feature (vector).

    Samples without an axis of channels have one: an image of 2 axes or a sequence of 1.
    """
    return INPUT_KINDS[kind].columns(x.shape[1:])


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of each column; all vectors have one entry for each.

    Attributes:
        mean: in float64.
        variance: in float64, as it is: 0 or mere rounding for a constant column.
        varies: whether there are two values that differ.
        size: the greatest size of a value.
        rounding: the most by which a value changes when it becomes a 32-bit float.
    """

    mean: Vector
    variance: Vector
    varies: NDArray[np.bool_]
    size: Vector
    rounding: Vector

    @property
    def deviation(self) -> Vector:
        """The standard deviations."""
        return np.sqrt(self.variance)

    @property
    def scale(self) -> Vector:
        """The variances to divide by: 1 for a constant, which so stays finite."""
        varies = self.variance > np.square(CONSTANT * self.mean)
        return np.where(varies, self.variance, 1.0)


def measure(arrays: Sequence[Array], columns: int) -> Measured:
    """Measure arrays as if they were one.

    Args:
        arrays: samples, finite and at most 1e18 in size.
        columns: number of columns; the last axes of the arrays hold a multiple of it.
    """
    pieces = _Pieces(arrays, columns)
    total = np.zeros(columns)
    size = np.zeros(columns)
    varies = np.zeros(columns, dtype=np.bool_)
    rounding = np.zeros(columns)
    first = pieces.first
    for rows in pieces:
        total += rows.sum(axis=0, dtype=np.float64)
        for extreme in (rows.min(axis=0), rows.max(axis=0)):
            size = np.maximum(size, np.abs(extreme.astype(np.float64)))
            # In the type of the array: 64-bit integers may be equal as floats.
            varies |= extreme != first
        rounding = np.maximum(rounding, _rounding(rows))
    mean = total / pieces.rows
    # A second pass: the mean of the squares minus the square of the mean would lose digits.
    squares = np.zeros(columns)
    for rows in pieces:
        squares += np.square(rows - mean).sum(axis=0, dtype=np.float64)
    variance = squares / pieces.rows
    return Measured(mean, variance, varies, size, rounding)


def constants(x: Array, kind: str) -> dict[int, Any]:
    """The columns that have one value in all samples: number of the column -> its value."""
    pieces = _Pieces([x], count_of(x, kind))
    first = pieces.first
    varies = np.zeros(first.shape, dtype=np.bool_)
    for rows in pieces:
        varies |= (rows != first).any(axis=0)
    return {int(column): first[column].item() for column in np.flatnonzero(~varies)}


def moments(x: Array, kind: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and variance of each column, in float64.

    Args:
        x: samples (n, ...).
        kind: how a sample is read.

    Returns:
        Two tuples with one entry for each column. A variance of 0 becomes 1, so that a constant
        stays finite.
    """
    measured = measure([x], count_of(x, kind))
    return tuple(measured.mean.tolist()), tuple(measured.scale.tolist())


class _Pieces:
    """Arrays as pieces of (rows, columns), which can be gone through more than once."""

    def __init__(self, arrays: Sequence[Array], columns: int) -> None:
        self._arrays = arrays
        self._columns = columns
        self.rows = sum(array.size for array in arrays) // columns

    @property
    def first(self) -> Array:
        """The first value of each column."""
        first: Array = self._arrays[0][0].reshape(-1, self._columns)[0]
        return first

    def __iter__(self) -> Iterator[Array]:
        for array in self._arrays:
            for _, chunk in chunks(array):
                yield chunk.reshape(-1, self._columns)


def _rounding(rows: Array) -> Any:
    """For each column, the most that a value changes when it becomes a 32-bit float."""
    # Bytes, 16-bit numbers and 32-bit floats are 32-bit floats already.
    if np.can_cast(rows.dtype, np.float32):
        return 0.0
    # In the type of the array: neighbouring 64-bit integers may be one 64-bit float.
    back = rows.astype(np.float32).astype(rows.dtype)
    # The smaller from the larger, because unsigned integers have no sign.
    change = np.maximum(rows, back) - np.minimum(rows, back)
    return change.max(axis=0).astype(np.float64)
