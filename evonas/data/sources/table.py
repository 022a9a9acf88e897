"""A table in a file: CSV, TSV or Parquet, also gzipped, with a column to be predicted."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar

from evonas.data.arrays import Arrays
from evonas.data.sources.path_source import PathSource, first_bytes
from evonas.data.sources.source import Source
from evonas.data.tables.apart import with_test
from evonas.data.tables.cells import read_cells
from evonas.data.tables.content import PARQUET
from evonas.data.tables.endings import is_table
from evonas.data.tables.reading import to_arrays
from evonas.data.tables.roles import Wanted
from evonas.data.tables.schema import Kind
from evonas.files import expanded, sha256_of_tree
from evonas.memory import Memory
from evonas.settings import Check, path_problem
from evonas.words import shown


def encoding_problem(encoding: str) -> str:
    """Why this is no encoding of texts; empty if it is one."""
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        return f"must be the name of an encoding, such as latin-1. Received: {shown(encoding)}."
    return ""


def separator_problem(separator: str) -> str:
    """Why this cannot separate fields; empty if it can."""
    if len(separator) <= 1 and separator.isascii() and separator not in ('"', "\n", "\r"):
        return ""
    return f"must be one ASCII character, such as ;. Received: {shown(separator)}."


@dataclass(frozen=True)
class Table(PathSource):
    """A table: one column to be predicted, and the others to predict it from.

    Attributes:
        target: name of the column to be predicted, or a list of names. null for a column named
            target, class, label or y.
        text: name of a column that alone is the input, for spaces that take texts.
        group: name of the column that tells which samples belong together.
        time: name of the column that tells when a sample was taken.
        sample_weight: name of the column that tells what a row counts, a number of at least 0.
        sequence: name of the column of ids in a long table, a row a step: the rows of one id are a
            sequence. null if a row is a sample.
        order: name of the column by which the steps of a sequence are sorted; null for the order of
            the rows.
        columns: what columns hold, where it is not to be inferred: number, category, boolean, date,
            text or ignore.
        gaps: words that mean that a value is missing, beside the usual ones: nothing, ?, NA, N/A,
            NaN, NULL.
        separator: character between the fields; empty to look at the header.
        encoding: encoding of the text, such as latin-1; empty for UTF-8.
        test_path: path of another table with the same columns, which is the test part.
    """

    target: str | tuple[str, ...] | None = None
    text: str | None = None
    group: str | None = None
    time: str | None = None
    sample_weight: str | None = None
    sequence: str | None = None
    order: str | None = None
    columns: Mapping[str, Kind] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
    separator: Annotated[str, Check(separator_problem)] = ""
    encoding: Annotated[str, Check(encoding_problem)] = ""
    test_path: Annotated[str | None, Check(path_problem)] = None

    words: ClassVar[str] = "a table (.csv, .tsv, .parquet, also .gz)"

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_file() and (is_table(path) or first_bytes(path).startswith(PARQUET))

    def read(self, memory: Memory) -> Arrays:
        wanted = self.wanted()
        # A series may be in a column of its own.
        alone = wanted.target[0] if len(wanted.target) == 1 else ""
        told = (wanted.all_gaps, self.separator, self.encoding, alone)
        cells = read_cells(Path(self.path), memory, *told)
        arrays = to_arrays(cells, wanted)
        if self.test_path is None:
            return arrays
        return with_test(arrays, cells, wanted, Path(self.test_path), memory)

    def wanted(self) -> Wanted:
        """What is said of the columns."""
        target = self.target or ()
        return Wanted(
            target=(target,) if isinstance(target, str) else target,
            text=self.text or "",
            group=self.group or "",
            time=self.time or "",
            sample_weight=self.sample_weight or "",
            sequence=self.sequence or "",
            order=self.order or "",
            columns=self.columns,
            gaps=self.gaps,
            separator=self.separator,
            encoding=self.encoding,
        )

    def mark(self) -> Mapping[str, str]:
        mark = super().mark()
        if self.test_path is None or not mark:
            return mark
        test = Path(self.test_path)
        # Without one of both, a run continues with its own copy of the data.
        return {**mark, "test": sha256_of_tree(test)} if test.exists() else {}

    def placed(self, folder: Path) -> Source:
        placed = super().placed(folder)
        if self.test_path is None:
            return placed
        assert isinstance(placed, Table), "it is this table"
        return replace(placed, test_path=os.path.realpath(folder / expanded(self.test_path)))

    def naming(self, group: str | None, time: str | None) -> Source:
        return replace(self, group=group or self.group, time=time or self.time)
