"""Tables of results: a CSV file with a row for each genome, and its metrics after some epochs.

    cell.0.op,cell.1.op,val_accuracy@12,val_accuracy@200,seconds@12,seconds@200,parameters
    skip,conv,71.2,90.1,86.4,1440.3,130000

* `SECTION.PLACE.op` and `SECTION.PLACE.PARAMETER` hold a genome's decisions; places are counted
  from 0. A gene that is absent leaves its cells empty, and so does an op without the parameter.
* `genome` may stand in place of these columns: it holds the genome's digest.
* `METRIC@EPOCHS` is a metric after this number of epochs. `seconds@EPOCHS` is the time of a
  training of this number of epochs from its start.
* `METRIC` without `@` is the same at every fidelity.
* A column whose name begins with `#` is a comment.

An empty metric was not measured; `nan` and `inf` mean that the training has diverged.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.evaluate.known.table_genes import Key, Layout
from evonas.genome import Genome, SearchSpace
from evonas.memory import Free, Memory
from evonas.words import LETTERS, counted, listed, size

GENOME = "genome"
SECONDS = "seconds"
MOST_PROBLEMS = 20
"""The most issues of a bad file that are listed."""

LONGEST_LINE = 1 << 24
"""The most characters of a line."""

BYTES_A_ROW = 250
BYTES_A_CELL = 110
"""What a table of many rows takes while it is read, beside the text itself (measured)."""

_METRIC = re.compile(r"([A-Za-z_]\w*)(?:@([1-9]\d{0,8}))?", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}")

Column = list[float | None]


@dataclass(frozen=True, eq=False)
class Table:
    """What is known of the genomes of a space.

    Attributes:
        path: the table's file.
        metrics: per fidelity in epochs the names of its metrics, with those that are the same at
            every fidelity.
        is_timed: whether the table has the seconds of every fidelity.
    """

    path: Path
    metrics: Mapping[int, tuple[str, ...]]
    is_timed: bool
    _rows: Mapping[Key | str, int]
    _layout: Layout | None
    _columns: Mapping[tuple[str, int], Column]

    def __len__(self) -> int:
        rows = self._rows
        return len(rows)

    @property
    def fidelities(self) -> tuple[int, ...]:
        """In epochs, rising."""
        return tuple(self.metrics)

    def row(self, genome: Genome) -> int | None:
        """The genome's row, or None."""
        if self._layout is None:
            return self._rows.get(genome.digest)
        key = self._layout.key(genome)
        return self._rows.get(key)

    def values(self, row: int, epochs: int) -> dict[str, float]:
        """The metrics that were measured, without the seconds.

        Args:
            epochs: one of the fidelities.
        """
        found = {}
        for name in self.metrics[epochs]:
            value = self._columns[name, epochs][row]
            if value is not None:
                found[name] = value
        return found

    def seconds(self, row: int, epochs: int) -> float | None:
        """The time of a training of this length from its start; None in a table without times."""
        if not self.is_timed:
            return None
        column = self._columns[SECONDS, epochs]
        return column[row]


def load_table(path: str | Path, space: SearchSpace, memory: Memory | None = None) -> Table:
    """Reads a table of this space's genomes.

    Args:
        memory: tells how much memory is free; by default that of this machine.

    Raises:
        InvalidData: the file cannot be read, is larger than memory, or is no such table; issues are
            listed with file and line.
    """
    path = Path(path)
    memory = memory or Memory()
    rows = _read(path, memory.free())
    if not rows or not any(rows[0]):
        message = "is empty; a table has a header, and a row for each genome."
        raise InvalidData(Issue(message, file=str(path)))
    return _Reader(path, space, rows).table()


def _read(path: Path, free: Free) -> list[list[str]]:
    """The rows of a file, packed or not, read one by one.

    Args:
        free: memory that there is.
    """
    rows = []
    taken = 0
    try:
        with _opened(path) as file:
            for row in csv.reader(_lines(file)):
                rows.append(row)
                taken += BYTES_A_ROW + BYTES_A_CELL * len(row) + sum(map(len, row))
                if taken > free.bytes:
                    raise InvalidData(_too_large(path, len(rows), taken, free))
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise InvalidData(Issue(message, file=str(path))) from error
    except (UnicodeDecodeError, zlib.error, EOFError, csv.Error) as error:
        raise InvalidData(Issue(f"is no CSV file: {error}", file=str(path))) from error
    return rows


def _opened(path: Path) -> TextIO:
    """A file of text, unpacked while it is read."""
    # Excel begins a CSV file with a byte order mark, which "utf-8-sig" skips.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file, none of which is longer than a line of a table can be.

    Raises:
        csv.Error: there is a longer one.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise csv.Error(f"line {number} has more than {LONGEST_LINE:,} characters")
        yield line


def _too_large(path: Path, rows: int, taken: int, free: Free) -> Issue:
    message = (
        f"is too large: its first {counted(rows, 'row')} alone take about {size(taken)} of memory."
        f" Free on {free.where}: {size(free.bytes)}."
    )
    return Issue(message, file=str(path))


class _Reader:
    """The rows of a file on their way to a table, and the issues found in them."""

    def __init__(self, path: Path, space: SearchSpace, rows: list[list[str]]) -> None:
        self._path = path
        self._space = space
        self._header = [name.strip() for name in rows[0]]
        # Empty rows are skipped, but they count in the line numbers, which are those of the file.
        self._lines: list[int] = []
        self._cells: list[list[str]] = []
        for line, row in enumerate(rows[1:], 2):
            if row:
                self._lines.append(line)
                self._cells.append(row)
        self._issues: list[Issue] = []

    def table(self) -> Table:
        """The table.

        Raises:
            InvalidData: there are issues. They are raised in stages, because later steps rely on
                what earlier ones have found in order.
        """
        self._check_shape()
        by_column = [list(cells) for cells in zip(*self._cells, strict=True)]
        columns = dict(zip(self._header, by_column, strict=True))
        layout = None if GENOME in columns else Layout(self._space)
        decisions = (GENOME,) if layout is None else layout.columns
        named = self._measured(columns, decisions)
        if layout is None:
            keys = self._digests(columns[GENOME])
        else:
            keys = self._keys(layout, columns)
        numbers = {}
        for at, cells in named.items():
            numbers[self._header[at]] = self._numbers(at, cells)
        rows = self._distinct(keys)
        metrics, measured = self._by_fidelity(numbers)
        self._end()
        is_timed = any(name == SECONDS for name, _ in measured)
        return Table(self._path, metrics, is_timed, rows, layout, measured)

    def _wrong(self, message: str, key: str = "", line: int = 1) -> None:
        issue = Issue(
            message,
            key,
            str(self._path),
            line,
        )
        self._issues.append(issue)

    def _end(self) -> None:
        """Raise the issues found so far, if there are any."""
        if not self._issues:
            return
        shown = self._issues[:MOST_PROBLEMS]
        more = len(self._issues) - MOST_PROBLEMS
        if more > 0:
            problems = counted(more, "more problem", "more problems")
            shown.append(Issue(f"and {problems}", file=str(self._path)))
        raise InvalidData(shown)

    def _check_shape(self) -> None:
        if not self._cells:
            self._wrong("has a header and no rows.")
        # In the order of the file: that of a set changes from process to process.
        counts = Counter(self._header)
        for name, count in counts.items():
            if count > 1:
                self._wrong("this column is there twice.", name)
        width = len(self._header)
        for line, row in zip(self._lines, self._cells, strict=True):
            if len(row) != width:
                cells = counted(len(row), "cell")
                columns = counted(width, "column")
                self._wrong(f"has {cells}; the header has {columns}.", line=line)
        self._end()

    def _measured(
        self, columns: Mapping[str, Sequence[str]], decisions: Sequence[str]
    ) -> dict[int, Sequence[str]]:
        """The columns of metrics by their place.

        A column that is no metric, no decision and no comment is an issue.
        """
        self._check_decisions(columns, decisions)
        found = {}
        for at, name in enumerate(self._header):
            if name in decisions or name.startswith("#"):
                continue
            if _METRIC.fullmatch(name):
                found[at] = columns[name]
            else:
                hint = did_you_mean(name, decisions)
                self._wrong(
                    f"no decision of the space {self._space.name}, and no METRIC@EPOCHS"
                    f" (a METRIC is a name of {LETTERS}, digits and _).{hint}",
                    name,
                )
        self._end()
        return found

    def _check_decisions(
        self, columns: Mapping[str, Sequence[str]], decisions: Sequence[str]
    ) -> None:
        missing = [name for name in decisions if name not in columns]
        if not missing:
            return
        # Without any column of decisions, the user may have digests in mind.
        whole = ""
        if len(missing) == len(decisions):
            whole = "; or, in their place, `genome` with digests"
        self._wrong(f"columns are missing: {', '.join(missing)}{whole}.")

    def _digests(self, cells: Sequence[str]) -> list[Key | str]:
        for line, cell in zip(self._lines, cells, strict=True):
            if not _DIGEST.fullmatch(cell):
                self._wrong(
                    f"must be a genome's digest, 16 hexadecimal digits. Received: {cell!r:.80}",
                    GENOME,
                    line,
                )
        return list(cells)

    def _keys(self, layout: Layout, columns: Mapping[str, Sequence[str]]) -> list[Key | str]:
        decisions = [columns[name] for name in layout.columns]
        by_row = zip(*decisions, strict=True)
        keys: list[Key | str] = []
        for line, cells in zip(self._lines, by_row, strict=True):
            key, found = layout.read(cells)
            keys.append(key)
            for name, message in found:
                self._wrong(message, name, line)
        return keys

    def _numbers(self, at: int, cells: Sequence[str]) -> Column:
        try:
            numbers = [float(cell) if cell else None for cell in cells]
            # Python reads 1_5 as 15, and a table may mean 1.5.
            if any("_" in cell for cell in cells):
                raise ValueError("an underscore")
            return numbers
        # Tables are large and mostly right: single cells are looked at only after a failure.
        except ValueError:
            for line, cell in zip(self._lines, cells, strict=True):
                if cell and not _is_number(cell):
                    self._wrong(f"must be a number. Received: {cell!r:.80}", self._header[at], line)
            return []

    def _distinct(self, keys: Sequence[Key | str]) -> dict[Key | str, int]:
        """The row of each genome."""
        rows: dict[Key | str, int] = {}
        for at, key in enumerate(keys):
            first = rows.setdefault(key, at)
            # A key that was read from wrong cells may equal another one by that mistake only.
            if first != at and not self._issues:
                message = f"the genome of line {self._lines[first]} again."
                self._wrong(message, line=self._lines[at])
        return rows

    def _by_fidelity(
        self, numbers: Mapping[str, Column]
    ) -> tuple[dict[int, tuple[str, ...]], dict[tuple[str, int], Column]]:
        """The metrics of each fidelity, and every column under (metric, epochs)."""
        split = []
        for header, column in numbers.items():
            name, _, epochs = header.partition("@")
            split.append((name, epochs, column))
        fidelities = sorted({int(epochs) for _, epochs, _ in split if epochs})
        if not fidelities:
            self._wrong("has no column METRIC@EPOCHS, such as val_accuracy@200.")
        columns: dict[tuple[str, int], Column] = {}
        for (name, epochs, column), fidelity in itertools.product(split, fidelities):
            # A column without `@` belongs to every fidelity.
            if epochs in ("", str(fidelity)):
                if (name, fidelity) in columns:
                    self._wrong(f"{name} is there with `@{fidelity}` and without.", name)
                columns[name, fidelity] = column
        self._check_times(fidelities, columns)
        metrics = {}
        for fidelity in fidelities:
            names = [name for name, at in columns if at == fidelity and name != SECONDS]
            metrics[fidelity] = tuple(names)
        return metrics, columns

    def _check_times(
        self, fidelities: Sequence[int], columns: Mapping[tuple[str, int], Column]
    ) -> None:
        """Seconds must be given for all fidelities or for none, and be possible."""
        timed = []
        for fidelity in fidelities:
            if (SECONDS, fidelity) in columns:
                timed.append(fidelity)
        if timed and timed != fidelities:
            given = listed([str(fidelity) for fidelity in timed])
            known = listed([str(fidelity) for fidelity in fidelities])
            message = f"seconds are given at epochs {given} only; the table has {known}."
            self._wrong(message, SECONDS)
        for fidelity in timed:
            self._check_seconds(fidelity, columns[SECONDS, fidelity])

    def _check_seconds(self, fidelity: int, column: Column) -> None:
        # Not strict: a column with wrong cells was replaced by an empty one.
        for line, value in zip(self._lines, column, strict=False):
            if value is not None and math.isfinite(value) and value >= 0:
                continue
            key = f"{SECONDS}@{fidelity}"
            self._wrong("must be a number of at least 0.", key, line)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
