"""Stored samples, written chunk by chunk: neither a part nor a whole array is held in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from evonas.data import raw
from evonas.data.raw import CHUNK, Array, Ragged, Raw, RawSamples
from evonas.data.splits.split import Indices
from evonas.files import write_whole

ROWS = 1024
"""Raw samples that are encoded in one go, if they are no single array."""

MOST_BYTES = 1 << 26
"""The most bytes of samples of different sizes that are kept raw."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Raw samples and encoded targets of one part, or of all parts.

    Attributes:
        x: samples of all parts. Those of a part are only copied chunk by chunk.
        y: targets of this part.
        weights: what each sample of this part counts; None for all the same.
        rows: which samples are of this part; None for all.
    """

    x: RawSamples
    y: Array
    weights: Array | None = None
    rows: Indices | None = None

    def take(self, indices: Indices) -> Samples:
        """The samples at these indices."""
        weights = None if self.weights is None else self.weights[indices]
        return Samples(self.x, self.y[indices], weights, indices)

    def all(self) -> RawSamples:
        """All samples of the part at once."""
        return self._between(0, len(self.y))

    def first(self, most: int) -> RawSamples:
        """The first samples; fewer if they are large, but at least one."""
        found = self._between(0, most)
        if not isinstance(found, Ragged):
            return found
        sizes = np.cumsum([item.nbytes for item in found.items])
        return found.take(np.arange(max(1, int((sizes <= MOST_BYTES).sum()))))

    def chunks(self) -> Iterator[RawSamples]:
        """All samples, a few at a time."""
        step = ROWS
        if not isinstance(self.x, Raw):
            step = max(1, CHUNK // max(1, math.prod(self.x.shape[1:])))
        for start in range(0, len(self.y), step):
            yield self._between(start, start + step)

    def _between(self, start: int, end: int) -> RawSamples:
        if self.rows is not None:
            return raw.taken(self.x, self.rows[start:end])
        if isinstance(self.x, Raw):
            return self.x.take(np.arange(start, min(end, len(self.x))))
        return self.x[start:end]


def write_array(path: Path, chunks: Iterable[Array], count: int, dtype: np.dtype[Any]) -> Array:
    """Write an array as `numpy.save` does, chunk by chunk; the same, mapped.

    Args:
        path: path of the `.npy` file.
        chunks: rows of one shape, in turn; at least one chunk.
        count: number of rows of all chunks.
        dtype: type in which they are stored.

    Raises:
        DiskFailure: the disk is full.
    """
    write_whole(path, lambda file: _write(file, chunks, count, dtype))
    mapped: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped.view(np.ndarray)


def _write(file: BinaryIO, chunks: Iterable[Array], count: int, dtype: np.dtype[Any]) -> None:
    is_begun = False
    for chunk in chunks:
        # In C order a sample lies in one piece of the file, which workers map into memory.
        ordered = np.ascontiguousarray(chunk, dtype)
        if not is_begun:
            shape = (count, *ordered.shape[1:])
            header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            is_begun = True
        file.write(ordered.tobytes())
