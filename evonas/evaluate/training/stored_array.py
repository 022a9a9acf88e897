"""An array in a file that is read a few rows at a time, and never as a whole."""

from __future__ import annotations

import math
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.evaluate.training.checkpoint import Array


class StoredArray:
    """An array in an `.npy` file, of which no row stays in memory.

    The system keeps what was read in its file cache for as long as there is room. So the next epoch
    reads from the disk only what is no longer there. The rows are not mapped into memory: the pages
    would count as this process's own, and to map a row anew takes longer than to read it.

    Args:
        path: file of an array in C order, without pickle. It must not change.

    Attributes:
        dtype: type of the entries.
        shape: shape of a row.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: the file is no array in C order.
    """

    def __init__(self, path: Path) -> None:
        # A map tells where the rows begin, and that the file is as long as it should be.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if not mapped.flags.c_contiguous:
            raise ValueError(f"{path} must be in C order, in which a row lies in one piece.")
        self._path = path
        self._length = len(mapped)
        self._begin = mapped.offset
        self.dtype: np.dtype[Any] = mapped.dtype
        self.shape: tuple[int, ...] = mapped.shape[1:]
        self._row_bytes = math.prod(self.shape) * self.dtype.itemsize
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def take(self, positions: NDArray[np.int32]) -> Array:
        """The rows at these positions.

        Raises:
            IndexError: there is no such row.
            OSError: the file cannot be read, or is shorter than it was.
        """
        rows = np.empty((len(positions), *self.shape), self.dtype)
        content = rows.reshape(-1).view(np.uint8).data
        size = self._row_bytes
        for number, position in enumerate(positions.tolist()):
            if not 0 <= position < self._length:
                raise IndexError(f"{self._path} has {self._length} rows. Received: {position}.")
            row = content[number * size : (number + 1) * size]
            begin = self._begin + position * size
            if os.preadv(self._file, [row], begin) != size:
                raise OSError(f"{self._path} could not be read at byte {begin}.")
        return rows
