"""Arrays, laid into a folder by one process and found there by another: plain bytes and JSON.

Nothing is pickled. What is found is mapped, so that it may be larger than memory. The folder may be
deleted as soon as it was read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.raw import Array, Frame, Ragged

LIST = "arrays.json"
"""The file that says what the others hold."""

TABLE = "table.parquet"
"""The file of a frame."""


class Piece:
    """Samples that come batch by batch, written one after the other.

    Args:
        path: file for their values.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb")
        self._dtype: np.dtype[Any] | None = None
        # Runs of samples of one shape: number and shape.
        self._runs: list[tuple[int, tuple[int, ...]]] = []

    def add(self, batch: Array) -> None:
        """Write samples (n, ...).

        Raises:
            TypeError: they are of a type that has no plain bytes, or of another one than before.
        """
        if batch.dtype.kind == "T":
            batch = batch.astype(str)
        if batch.dtype.hasobject or batch.dtype.kind == "V" or not batch.ndim:
            raise TypeError(f"dtype {batch.dtype}, shape {batch.shape}: rows of numbers are wanted")
        if self._dtype is None:
            self._dtype = batch.dtype
        if batch.dtype != self._dtype:
            raise TypeError(f"the first samples have dtype {self._dtype}, others {batch.dtype}")
        if batch.size:
            values = np.ascontiguousarray(batch).reshape(-1)
            self._file.write(values.view(np.uint8).data)
        count, shape = len(batch), batch.shape[1:]
        if self._runs and self._runs[-1][1] == shape:
            count += self._runs.pop()[0]
        self._runs.append((count, shape))

    def end(self) -> dict[str, Any]:
        """Close the file; what `find` needs to read it."""
        self._file.close()
        dtype = self._dtype or np.dtype(np.float32)
        return {"file": self._path.name, "dtype": dtype.str, "runs": self._runs}


def lay(value: Array | Frame | Ragged, name: str, folder: Path) -> dict[str, Any]:
    """Write one value into files of a folder; its entry for `write_list`.

    Raises:
        TypeError: it has no plain bytes.
    """
    if isinstance(value, Frame):
        columns = []
        for number, (column, array) in enumerate(value.columns.items()):
            columns.append([column, lay(array, f"{name}_{number}", folder)])
        return {"columns": columns}
    piece = Piece(folder / f"{name}.bin")
    if isinstance(value, Ragged):
        for item in value.items:
            piece.add(item[np.newaxis])
    else:
        piece.add(value)
    return piece.end()


def write_list(entries: Mapping[str, Any], folder: Path) -> None:
    """Say what the files of a folder hold; the last step."""
    (folder / LIST).write_text(json.dumps(entries), encoding="utf-8")


def find(folder: Path) -> dict[str, Array | Frame | Ragged]:
    """What was laid into a folder, by name."""
    entries = json.loads((folder / LIST).read_text(encoding="utf-8"))
    return {name: _found(entry, folder) for name, entry in entries.items()}


def _found(entry: Mapping[str, Any], folder: Path) -> Array | Frame | Ragged:
    if "columns" in entry:
        columns: dict[str, Any] = {name: _found(one, folder) for name, one in entry["columns"]}
        return Frame(columns)
    dtype = np.dtype(entry["dtype"])
    path = folder / entry["file"]
    flat: Array = np.empty(0, dtype)
    # Nothing can be mapped of an empty file.
    if path.stat().st_size:
        flat = np.memmap(path, dtype, mode="r").view(np.ndarray)
    runs = [(count, tuple(shape)) for count, shape in entry["runs"]]
    if len(runs) == 1:
        ((count, shape),) = runs
        return flat.reshape(count, *shape)
    items = []
    begin = 0
    for count, shape in runs:
        size = math.prod(shape)
        for _ in range(count):
            items.append(flat[begin : begin + size].reshape(shape))
            begin += size
    return Ragged(items)
