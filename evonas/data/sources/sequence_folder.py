"""Sequences in files: a `.csv` a sample, its rows are the steps and its columns the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, Ragged, RawSamples
from evonas.data.sources.labelled_files import LABELS, holds, read_all, read_parts
from evonas.data.sources.path_source import PathSource
from evonas.errors import InvalidData, Issue
from evonas.memory import Memory
from evonas.words import excerpt

ENDING = ".csv"
SEPARATORS = ",;\t"


@dataclass(frozen=True)
class SequenceFolder(PathSource):
    """A folder of `.csv` files of numbers, with or without a first row of names."""

    words: ClassVar[str] = (
        "a folder of sequences (.csv, a class a subfolder, or labels.csv beside them)"
    )

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and holds(path, ENDING)

    def read(self, memory: Memory) -> Arrays:
        samples, targets = read_parts(Path(self.path), ENDING, _sequence)
        sequences = {part: Ragged(x) for part, x in samples.items()}
        arrays: dict[str, Any] = {**sequences, **targets}
        return Arrays(self.path, **arrays)

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        sequences, names = read_all(Path(self.path), ENDING, _sequence, but=(LABELS,))
        return Ragged(sequences), names


def _sequence(path: Path) -> Array:
    """The numbers of a file, (steps, channels).

    Raises:
        InvalidData: it cannot be read, is empty, or has a cell that is no number.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(Issue(f"cannot be read: {error}.", file=str(path))) from error
    rows = {number: line for number, line in enumerate(lines, 1) if line.strip()}
    if not rows:
        raise InvalidData(Issue("is empty: a sequence needs at least one step.", file=str(path)))
    first = next(iter(rows))
    separator = max(SEPARATORS, key=rows[first].count)
    cells = {number: line.split(separator) for number, line in rows.items()}
    # A row without any number is the names of the channels.
    if all(_number(cell) is None for cell in cells[first]):
        width = len(cells.pop(first))
    else:
        width = len(cells[first])
    if not cells:
        message = "has no step below its first row: a sequence needs at least one."
        raise InvalidData(Issue(message, file=str(path)))
    steps = []
    for number, row in cells.items():
        if len(row) != width:
            message = f"must have {width} columns. Received: {len(row)}."
            raise InvalidData(Issue(message, file=str(path), line=number))
        values = [_number(cell) for cell in row]
        if None in values:
            column = values.index(None)
            received = f"{excerpt(row[column])} in column {column + 1}"
            message = f"must hold finite numbers. Received: {received}."
            raise InvalidData(Issue(message, file=str(path), line=number))
        steps.append(values)
    return np.array(steps, dtype=np.float64)


def _number(cell: str) -> float | None:
    """A cell as a finite number; None if it is none."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
