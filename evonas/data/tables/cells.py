"""A table as it was found: columns of words from a CSV, typed ones from Parquet or a frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evonas.data.tables.content import PARQUET, read_bytes
from evonas.data.tables.schema import GAPS
from evonas.data.tables.text import Text, about_quotation, cut
from evonas.errors import InvalidData, Issue
from evonas.genome.strict_yaml import short
from evonas.memory import Memory

if TYPE_CHECKING:
    import polars as pl

INDEX = "unnamed"
"""Name of a first column without a name, as pandas writes its index."""


@dataclass(frozen=True, eq=False)
class Cells:
    """A table as it was found.

    Attributes:
        origin: path of the file, or what was given, for messages.
        frame: the columns; null is a gap. Words of files are stripped of spaces around them.
        lines: line of each row in the file, from 1; None if rows have no lines.
        is_text: whether numbers are words, too, as in a CSV.
        stripped: names of the columns whose words had spaces around them.
    """

    origin: str
    frame: pl.DataFrame
    lines: NDArray[np.int64] | None = None
    is_text: bool = False
    stripped: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Where a row is, in words: `in line 17`, or `in row 15`, counted from 1."""
        if self.lines is None:
            return f"in row {row + 1:,}"
        return f"in line {self.lines[row]:,}"

    def line(self, row: int) -> int:
        """The line of a row for an issue; 0 if rows have none."""
        return 0 if self.lines is None else int(self.lines[row])


def read_cells(
    path: Path,
    memory: Memory,
    gaps: Collection[str],
    separator: str = "",
    encoding: str = "",
    alone: str = "",
) -> Cells:
    """The table in a file.

    Args:
        memory: tells how much memory is free.
        gaps: words that mean that a value is missing; none for the usual ones in a file of text.
        separator: what separates fields; empty to look at the header.
        encoding: encoding of a CSV; empty for UTF-8.
        alone: name of a column that may be the only one, or `ANY_NAME`; empty if one column
            cannot be meant.

    Raises:
        InvalidData: there is no table in it.
    """
    content = read_bytes(path, memory)
    origin = str(path)
    if content.startswith(PARQUET):
        return tidy(origin, _of_parquet(content, origin), gaps)
    is_tabbed = path.name.removesuffix(".gz").endswith((".tsv", ".tab"))
    text = cut(content, origin, "\t" if is_tabbed else ",", separator, encoding, alone)
    frame = _of_text(text, origin)
    # Words of Python have no words for gaps; a file of text has no other way to write one.
    return tidy(origin, frame, gaps or GAPS, text)


def _of_parquet(content: bytes, origin: str) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_parquet(BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"is a damaged Parquet file: {_first_line(error)}."
        raise InvalidData(Issue(message, file=origin)) from error


def _of_text(text: Text, origin: str) -> pl.DataFrame:
    """A column of words for each name."""
    import polars as pl

    # Names are put on later: they may be empty.
    places = [str(place) for place in range(len(text.names))]
    try:
        frame = pl.read_csv(
            text.rows,
            has_header=False,
            schema=dict.fromkeys(places, pl.String),
            separator=text.separator,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError as error:
        unread = Issue(f"cannot be read: {_first_line(error)}.", file=origin)
        raise InvalidData(about_quotation(text, origin) or unread) from error
    if len(frame) != len(text.lines):
        message = f"cannot be read: it has {len(text.lines):,} rows, and {len(frame):,} were found."
        raise InvalidData(about_quotation(text, origin) or Issue(message, file=origin))
    return frame.rename(dict(zip(places, _named(text.names), strict=True)))


def _named(names: tuple[str, ...]) -> list[str]:
    """Names for all columns: those without one are named after their place."""
    found = []
    for place, name in enumerate(names):
        nameless = INDEX if place == 0 else f"{INDEX} {place + 1}"
        while nameless in names:
            nameless += "_"
        found.append(name or nameless)
    return found


def tidy(
    origin: str, frame: pl.DataFrame, gaps: Collection[str], text: Text | None = None
) -> Cells:
    """The table with one null for all kinds of gaps.

    Args:
        gaps: words that mean that a value is missing. A typed table without any, which is one from
            Python, keeps the spaces around its words.

    Raises:
        InvalidData: a column is of a type that no kind stands for, or there is no row.
    """
    import polars as pl

    if not len(frame):
        message = f"has no rows. Columns: {short(', '.join(frame.columns))}."
        raise InvalidData(Issue(message, file=origin))
    issues = []
    for name, kind in frame.schema.items():
        if not is_known(kind):
            message = (
                f"holds values of the type {kind}, and a column of numbers, words, dates or truth"
                " values is wanted. Write the table without it."
            )
            issues.append(Issue(message, short(name), origin))
    if issues:
        raise InvalidData(issues)
    # All columns at once: a thousand calls for a thousand columns would take seconds.
    frame = frame.with_columns(
        pl.selectors.by_dtype(pl.Categorical, pl.Enum, pl.Null).cast(pl.String),
        pl.selectors.decimal().cast(pl.Float64),
    )
    words = pl.selectors.string()
    # Python's own words are as they were meant: no word of them means a gap.
    bare = words.str.strip_chars() if gaps or text is not None else words
    # A table of numbers alone has no column of words, and then no row tells of one.
    changed = frame.select((bare != words).any()).rows(named=True)
    stripped = [name for row in changed for name, is_other in row.items() if is_other]
    frame = frame.with_columns(
        pl.when(bare.is_in(["", *gaps])).then(None).otherwise(bare).name.keep(),
        pl.selectors.float().cast(pl.Float64).fill_nan(None),
    )
    lines = None if text is None else text.lines
    return Cells(origin, frame, lines, text is not None, tuple(stripped))


def is_known(kind: pl.DataType) -> bool:
    """Whether a kind stands for columns of this type."""
    import polars as pl

    known = (pl.Boolean, pl.Date, pl.Datetime, pl.String, pl.Categorical, pl.Enum, pl.Null)
    return kind.is_numeric() or kind in known


def cells_of(table: Any, gaps: Collection[str], origin: str = "the table") -> Cells:
    """A frame of pandas, polars, pyarrow or of another library that narwhals knows.

    Raises:
        InvalidData: as `plain_frame`, or as `tidy`.
    """
    return tidy(origin, plain_frame(table, origin), gaps)


def plain_frame(table: Any, origin: str) -> pl.DataFrame:
    """The same columns as a frame of polars, with null for what the other library has for a gap.

    Raises:
        InvalidData: it is no frame that narwhals knows, or has names that are no words.
    """
    import narwhals as nw
    import polars as pl

    try:
        frame = nw.from_native(table, eager_only=True)
    except TypeError as error:
        kind = type(table).__name__
        message = f"a frame of pandas, polars or pyarrow is wanted. Received: {kind}."
        raise InvalidData(Issue(message, file=origin)) from error
    wrong = [name for name in frame.columns if not isinstance(name, str)]
    if wrong:
        wanted = "the names of columns must be words, as by frame.rename(columns=str)"
        message = f"{wanted}. Received: {wrong[0]!r}."
        raise InvalidData(Issue(message, file=origin))
    if isinstance(table, pl.DataFrame):
        return table
    columns = []
    for column in frame.iter_columns():
        missing = column.is_null().to_list()
        pairs = zip(column.to_list(), missing, strict=True)
        # pandas has NaN, NaT or its own NA for a gap.
        values = [None if is_gap else value for value, is_gap in pairs]
        try:
            columns.append(pl.Series(column.name, values))
        except (TypeError, pl.exceptions.PolarsError) as error:
            message = f"holds values of several types: {_first_line(error)}."
            raise InvalidData(Issue(message, short(column.name), origin)) from error
    return pl.DataFrame(columns)


def _first_line(error: BaseException) -> str:
    return short(str(error).partition("\n")[0], 200).rstrip(".")
