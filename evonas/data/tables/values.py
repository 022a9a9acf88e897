"""From a column as it was found to the values of its kind; what does not fit is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.data.raw import Array
from evonas.data.tables.cells import Cells
from evonas.data.tables.dates import days
from evonas.data.tables.kinds import TRUTHS, are_names, given, infer, is_whole
from evonas.data.tables.schema import Column, Kind
from evonas.errors import InvalidData, Issue
from evonas.genome.strict_yaml import short
from evonas.words import counted

if TYPE_CHECKING:
    import polars as pl

WANTED = {
    "number": "a number",
    "boolean": "a truth value (true and false, yes and no, 1 and 0)",
    "date": "a date such as 2026-01-31",
}

LONGEST = 64
"""Words up to so many letters are stored in one width."""


def feature(cells: Cells, column: Column) -> Array:
    """The values of a feature (n,).

    Returns:
        64-bit floats with NaN for a gap: numbers, 1 and 0 for truth values, days since 1970 for
        dates. Words with an empty one for a gap: categories and texts.

    Raises:
        InvalidData: a value is none of this kind.
    """
    if column.kind in ("category", "text"):
        return _words(as_words(cells.frame[column.name]).fill_null(""))
    numbers: Array = _numbers(cells, column).fill_null(float("nan")).to_numpy()
    return numbers


def target(cells: Cells, column: Column) -> Array:
    """The values of a target (n,): floats, integers if all are written so, truth values, or words.

    Raises:
        InvalidData: a value is none of this kind, or is a gap.
    """
    import polars as pl

    series = cells.frame[column.name]
    if series.null_count():
        raise _without_gaps(cells, column.name, "the target")
    if column.kind == "category":
        return _words(as_words(series))
    numbers = _numbers(cells, column)
    if column.kind == "boolean":
        return numbers.to_numpy() > 0
    if is_whole(series) and not are_names(series):
        numbers = numbers.cast(pl.Int64)
    found: Array = numbers.to_numpy()
    return found


def beside(cells: Cells, name: str, role: str, is_time: bool) -> Array:
    """The values (n,) of a column that only a split reads: words or integers, or times.

    Args:
        role: what the column is, in words.

    Raises:
        InvalidData: a value is a gap, or no time.
    """
    import polars as pl

    series = cells.frame[name]
    if series.null_count():
        raise _without_gaps(cells, name, role)
    if not is_time:
        if is_whole(series) and not are_names(series):
            integers: Array = series.cast(pl.Int64).to_numpy()
            return integers
        return _words(as_words(series))
    # Other times are numbers, which may well number the rows.
    kind: Kind = "date" if infer(cells, name).kind == "date" else "number"
    found = given(cells, name, kind)
    return feature(cells, Column(name, found.kind, found.form))


def weights(cells: Cells, name: str) -> Array:
    """What each row counts (n,), as floats of at least 0.

    Raises:
        InvalidData: a value is a gap, no number, or below 0.
    """
    series = cells.frame[name]
    if series.null_count():
        raise _without_gaps(cells, name, "what a row counts")
    found = _numbers(cells, Column(name, "number"), or_gap="")
    below = found < 0
    if below.any():
        row = below.arg_max() or 0
        message = (
            "says what a row counts, and must be at least 0. Received:"
            f" {short(str(series[row]))} {cells.place(row)}."
        )
        raise InvalidData(Issue(message, short(name), cells.origin, cells.line(row)))
    counts: Array = found.to_numpy()
    return counts


def as_words(series: pl.Series) -> pl.Series:
    """Categories as words: whole numbers without a decimal point, whatever their type."""
    import polars as pl

    if series.dtype.is_float():
        whole = series.drop_nulls()
        # pandas makes floats of whole numbers with gaps.
        if (whole == whole.floor()).all() and (whole.abs() < 2**53).all():
            series = series.cast(pl.Int64)
    return series.cast(pl.String)


def _words(series: pl.Series) -> Array:
    """Words without nulls as an array."""
    longest = series.str.len_chars().max()
    words = series.to_list()
    if isinstance(longest, int) and longest > LONGEST:
        # One long text would make all others as wide.
        return np.array(words, dtype=np.dtypes.StringDType())
    return np.array(words, dtype=np.str_)


def _numbers(cells: Cells, column: Column, or_gap: str = ", or a gap") -> pl.Series:
    """A column as floats, null for a gap. What else is allowed ends up in a message."""
    import polars as pl

    series = cells.frame[column.name]
    if column.kind == "date":
        found = _days(series, column.form)
    elif column.kind == "boolean":
        found = _truths(series)
    elif series.dtype == pl.String or series.dtype.is_numeric():
        found = series.cast(pl.Float64, strict=False)
    else:
        found = pl.Series(column.name, [None] * len(series), dtype=pl.Float64)
    wrong = found.is_null() & series.is_not_null()
    if wrong.any():
        raise _misfit(cells, column, wrong, or_gap)
    infinite = found.is_infinite().fill_null(False)
    if infinite.any():
        raise _misfit(cells, column, infinite, or_gap)
    return found


def _days(series: pl.Series, form: str) -> pl.Series:
    """Dates as days since 1970; null for what is no date in this form."""
    import polars as pl

    if series.dtype in (pl.Date, pl.Datetime) or (series.dtype == pl.String and form):
        return days(series, form)
    return pl.Series(series.name, [None] * len(series), dtype=pl.Float64)


def _truths(series: pl.Series) -> pl.Series:
    """1 for true and 0 for false; null for what is none of both."""
    import polars as pl

    if series.dtype == pl.Boolean:
        return series.cast(pl.Float64)
    values = {
        "1": 1.0,
        "0": 0.0,
        **dict.fromkeys(TRUTHS, 1.0),
        **dict.fromkeys(TRUTHS.values(), 0.0),
    }
    words = as_words(series).str.to_lowercase()
    return words.replace_strict(values, default=None, return_dtype=pl.Float64)


def _misfit(cells: Cells, column: Column, wrong: pl.Series, or_gap: str) -> InvalidData:
    """An error at the first value that is none of the column's kind."""
    row = wrong.arg_max() or 0
    value = short(str(cells.frame[column.name][row]))
    wanted = WANTED[column.kind]
    if column.form:
        wanted = f"{wanted}, in the form {column.form}"
    message = f"must be {wanted}{or_gap}. Received: {value!r} {cells.place(row)}"
    count = int(wrong.sum())
    more = f", and {count - 1:,} more" if count > 1 else ""
    return InvalidData(
        Issue(f"{message}{more}.", short(column.name), cells.origin, cells.line(row))
    )


def _without_gaps(cells: Cells, name: str, role: str) -> InvalidData:
    """An error for gaps where there must be none."""
    is_gap = cells.frame[name].is_null()
    row = is_gap.arg_max() or 0
    rows = counted(int(is_gap.sum()), "row")
    message = (
        f"is {role}, and must have a value in each row. Received: a gap in {rows} of"
        f" {len(is_gap):,}, first {cells.place(row)}. Rows are never left out without a word: write"
        " the table without them."
    )
    return InvalidData(Issue(message, short(name), cells.origin, cells.line(row)))
