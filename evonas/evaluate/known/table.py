"""Tables of results: a CSV file with a row for each genome, and what each scored after how many epochs.

    cell.0.op,cell.1.op,val_accuracy@12,val_accuracy@200,seconds@12,seconds@200,parameters
    skip,conv,71.2,90.1,86.4,1440.3,130000

Columns `SECTION.PLACE.op` and `SECTION.PLACE.PARAMETER` hold a genome's decisions, places counted from 0; a gene that
is absent leaves its cells empty, and so does an op without the parameter. Instead of them, one column `genome` may hold
the genome's digest. `METRIC@EPOCHS` is a metric after so many epochs, `seconds@EPOCHS` what a training of so many
epochs costs from its start. A metric without `@` is the same at every fidelity. A column whose name begins with `#` is
a comment.
An empty metric was not measured; `nan` and `inf` mean that the training has diverged.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.evaluate.known.table_genes import Key, Layout
from evonas.genome import Genome, SearchSpace

GENOME = "genome"
SECONDS = "seconds"
MOST_PROBLEMS = 20
"""That are listed of a bad file."""

_METRIC = re.compile(r"([A-Za-z_]\w*)(?:@([1-9]\d{0,8}))?", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}")

Column = list[float | None]


@dataclass(frozen=True, eq=False)
class Table:
    """What is known of the genomes of a space.

    Attributes:
        path: of the file.
        metrics: per fidelity in epochs the names of its metrics, those that are the same at every fidelity included.
        is_timed: whether it has the seconds of every fidelity.
    """

    path: Path
    metrics: Mapping[int, tuple[str, ...]]
    is_timed: bool
    _rows: Mapping[Key | str, int]
    _layout: Layout | None
    _columns: Mapping[tuple[str, int], Column]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def fidelities(self) -> tuple[int, ...]:
        """In epochs, rising."""
        return tuple(self.metrics)

    def row(self, genome: Genome) -> int | None:
        """The genome's row; None where it has none."""
        return self._rows.get(genome.digest if self._layout is None else self._layout.key(genome))

    def values(self, row: int, epochs: int) -> dict[str, float]:
        """What was measured after so many epochs, without the seconds; one of the fidelities."""
        found = {name: self._columns[name, epochs][row] for name in self.metrics[epochs]}
        return {name: value for name, value in found.items() if value is not None}

    def seconds(self, row: int, epochs: int) -> float | None:
        """What so many epochs cost from the start; None in a table that does not say."""
        return self._columns[SECONDS, epochs][row] if self.is_timed else None


def load_table(path: str | Path, space: SearchSpace) -> Table:
    """Reads a table of this space's genomes.

    Raises:
        InvalidData: it cannot be read, or it is no such table; problems are listed with file and line.
    """
    path = Path(path)
    rows = _read(path)
    if not rows or not any(rows[0]):
        raise InvalidData(
            Issue("is empty; a table has a header, and a row for each genome.", file=str(path))
        )
    return _Reader(path, space, rows).table()


def _read(path: Path) -> list[list[str]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        return list(csv.reader(text.splitlines()))
    except OSError as error:
        raise InvalidData(
            Issue(f"cannot be read: {error.strerror or error}", file=str(path))
        ) from error
    except (UnicodeDecodeError, zlib.error, EOFError, csv.Error) as error:
        raise InvalidData(Issue(f"is no CSV file: {error}", file=str(path))) from error


class _Reader:
    """The rows of a file on their way to a table, and the problems found in them."""

    def __init__(self, path: Path, space: SearchSpace, rows: list[list[str]]) -> None:
        self._path, self._space = path, space
        self._header, self._lines = (
            [name.strip() for name in rows[0]],
            [n for n, row in enumerate(rows, 1) if row][1:],
        )
        self._cells = [row for row in rows[1:] if row]
        self._problems: list[Issue] = []

    def table(self) -> Table:
        self._check_shape()
        columns = dict(zip(self._header, map(list, zip(*self._cells, strict=True)), strict=True))
        layout = None if GENOME in columns else Layout(self._space)
        decisions = (GENOME,) if layout is None else layout.columns
        named = self._measured(columns, decisions)
        keys = self._digests(columns[GENOME]) if layout is None else self._keys(layout, columns)
        numbers = {self._header[at]: self._numbers(at, cells) for at, cells in named.items()}
        rows = self._distinct(keys)
        metrics, measured = self._by_fidelity(numbers)
        self._end()
        is_timed = any(name == SECONDS for name, _ in measured)
        return Table(self._path, metrics, is_timed, rows, layout, measured)

    def _wrong(self, message: str, key: str = "", line: int = 1) -> None:
        self._problems.append(Issue(message, key, str(self._path), line))

    def _end(self) -> None:
        if self._problems:
            shown, more = self._problems[:MOST_PROBLEMS], len(self._problems) - MOST_PROBLEMS
            rest = [Issue(f"and {more} more problems", file=str(self._path))] if more > 0 else []
            raise InvalidData([*shown, *rest])

    def _check_shape(self) -> None:
        if not self._cells:
            self._wrong("has a header and no rows.")
        for name in {name for name in self._header if self._header.count(name) > 1}:
            self._wrong("this column is there twice.", name)
        for line, row in zip(self._lines, self._cells, strict=True):
            if len(row) != len(self._header):
                self._wrong(
                    f"has {len(row)} cells; the header has {len(self._header)} columns.", line=line
                )
        self._end()

    def _measured(
        self, columns: Mapping[str, Sequence[str]], decisions: Sequence[str]
    ) -> dict[int, Sequence[str]]:
        """The columns of metrics by their place; what is neither a metric nor a decision nor a comment is wrong."""
        missing = [name for name in decisions if name not in columns]
        if missing:
            whole = (
                "; or, in their place, `genome` with digests"
                if len(missing) == len(decisions)
                else ""
            )
            self._wrong(f"columns are missing: {', '.join(missing)}{whole}.")
        found = {}
        for at, name in enumerate(self._header):
            if name in decisions or name.startswith("#"):
                continue
            if _METRIC.fullmatch(name):
                found[at] = columns[name]
            else:
                hint = did_you_mean(name, decisions)
                self._wrong(
                    f"no decision of the space {self._space.name}, and no METRIC@EPOCHS.{hint}",
                    name,
                )
        self._end()
        return found

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
        keys: list[Key | str] = []
        for line, cells in zip(
            self._lines, zip(*(columns[name] for name in layout.columns), strict=True), strict=True
        ):
            key, problems = layout.read(cells)
            keys.append(key)
            for name, message in problems:
                self._wrong(message, name, line)
        return keys

    def _numbers(self, at: int, cells: Sequence[str]) -> Column:
        try:
            return [float(cell) if cell else None for cell in cells]
        except ValueError:
            for line, cell in zip(self._lines, cells, strict=True):
                if cell and not _is_number(cell):
                    self._wrong(f"must be a number. Received: {cell!r:.80}", self._header[at], line)
            return []

    def _distinct(self, keys: Sequence[Key | str]) -> dict[Key | str, int]:
        rows: dict[Key | str, int] = {}
        for at, key in enumerate(keys):
            if rows.setdefault(key, at) != at and not self._problems:
                self._wrong(
                    f"the genome of line {self._lines[rows[key]]} again.", line=self._lines[at]
                )
        return rows

    def _by_fidelity(
        self, numbers: Mapping[str, Column]
    ) -> tuple[dict[int, tuple[str, ...]], dict[tuple[str, int], Column]]:
        """The metrics of each fidelity, and every column under (metric, epochs)."""
        split = [
            (name.partition("@")[0], name.partition("@")[2], column)
            for name, column in numbers.items()
        ]
        fidelities = sorted({int(epochs) for _, epochs, _ in split if epochs})
        if not fidelities:
            self._wrong("has no column METRIC@EPOCHS, such as val_accuracy@200.")
        columns: dict[tuple[str, int], Column] = {}
        for (name, epochs, column), fidelity in itertools.product(split, fidelities):
            if epochs in ("", str(fidelity)):
                if (name, fidelity) in columns:
                    self._wrong(f"{name} is there with `@{fidelity}` and without.", name)
                columns[name, fidelity] = column
        timed = [fidelity for fidelity in fidelities if (SECONDS, fidelity) in columns]
        if timed and timed != fidelities:
            self._wrong(
                f"seconds are given after {timed} epochs only; the table has {fidelities}.", SECONDS
            )
        for fidelity in timed:
            self._check_seconds(fidelity, columns[SECONDS, fidelity])
        metrics = {
            fidelity: tuple(name for name, at in columns if at == fidelity and name != SECONDS)
            for fidelity in fidelities
        }
        return metrics, columns

    def _check_seconds(self, fidelity: int, column: Column) -> None:
        for line, value in zip(self._lines, column, strict=False):
            if value is None or not math.isfinite(value) or value < 0:
                self._wrong("must be a number of at least 0.", f"{SECONDS}@{fidelity}", line)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
