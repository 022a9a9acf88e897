"""What a column holds: numbers, categories, truth values, dates, texts, or nothing of use.

What may be two things is refused, with the keys that decide it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evonas.data.tables.cells import INDEX, Cells
from evonas.data.tables.dates import AMBIGUOUS, days, form_of
from evonas.data.tables.schema import Kind
from evonas.errors import InvalidData, Issue
from evonas.genome.strict_yaml import short
from evonas.words import counted, listed

if TYPE_CHECKING:
    import polars as pl

FEW = 20
"""Up to so many distinct words are a category in a table of any length."""

MOST_CATEGORIES = 1000
"""The most distinct words of a column that is inferred to be a category."""

WORDS_OF_A_TEXT = 3
"""The fewest words that the values of a text have in the mean."""

MOSTLY = 0.5
"""Share of numbers, or of dates, from which on the other values look like mistakes."""

EXACT = 2**53
"""From here on, 64-bit floats do not tell whole numbers apart."""

TRUTHS = {"true": "false", "yes": "no", "t": "f", "y": "n"}
"""Words for true, and the word for false that goes with each."""

WHOLE = r"^[+-]?\d+$"
LEADING_ZERO = r"^[+-]?0\d"
_DIGITS = r"(\d+|\d{1,3}([,.'\u2019 _]\d{3})+)([.,]\d+)?"
DECORATED = rf"^[-+(]?[$€£¥]?\s?[-+]?{_DIGITS}\s?[%$€£¥]?\)?$"
"""Numbers with separators of thousands, a decimal comma, a currency or a per cent sign."""

IDS = frozenset({"id", "index", "idx", "uuid", "guid", "rowid", "row", INDEX})
"""Words in the names of columns that number the rows."""

CODES = frozenset({"code", "zip", "zipcode", "postcode", "plz", "type", "category", "class", "id"})
"""Words in the names of columns whose numbers may be names."""

MOST_CODES = 50
"""The most distinct numbers that look like codes if they are 0 to n, or 1 to n."""

ROWS_A_CODE = 10
"""Codes occur at least so often in the mean."""

ROWS_NUMBERED = 10
"""So many rows have consecutive numbers by no chance."""

MOST_TOLD = 3
"""The most values that a message shows."""


@dataclass(frozen=True)
class Found:
    """What was found of a column.

    Attributes:
        name: name of the column.
        kind: what it holds.
        form: how a date is written.
        why: why it is left out, in words after `it`; empty if it is not.
        gaps: number of gaps.
        distinct: number of distinct values that are no gaps.
        may_be_code: whether its numbers may be names of something.
    """

    name: str
    kind: Kind
    form: str = ""
    why: str = ""
    gaps: int = 0
    distinct: int = 0
    may_be_code: bool = False


def given(cells: Cells, name: str, kind: Kind) -> Found:
    """A column of which the user has said what it holds. Its values are not looked at."""
    import polars as pl

    series = cells.frame[name]
    known = series.drop_nulls()
    form = ""
    if kind == "date" and len(known) and series.dtype == pl.String:
        form = form_of(known)
    why = "is to be ignored" if kind == "ignore" else ""
    return Found(name, kind, form, why, len(series) - len(known), known.n_unique())


def infer(cells: Cells, name: str) -> Found:
    """What a column of a table holds.

    Raises:
        InvalidData: it may be two things.
    """
    import polars as pl

    series = cells.frame[name]
    gaps = series.null_count()
    count = len(series) - gaps
    # A word that occurs a thousand times is looked at once.
    known = series.drop_nulls().unique(maintain_order=True)
    distinct = len(known)

    def found(kind: Kind, why: str = "", form: str = "", may_be_code: bool = False) -> Found:
        return Found(name, kind, form, why, gaps, distinct, may_be_code)

    if not distinct:
        return found("ignore", "has no values")
    if distinct == 1 and not gaps:
        value = short(str(known[0]), 40)
        return found("ignore", f"has one value in all rows, {value!r}")
    if known.dtype == pl.Boolean:
        return found("boolean")
    if known.dtype in (pl.Date, pl.Datetime):
        return found("date")
    if known.dtype == pl.String and (form := _form_of_dates(cells, name, known)):
        return found("date", form=form)
    if _are_numbers(cells, name, known):
        if distinct == len(series) and _number_rows(known, name):
            return found("ignore", "numbers the rows")
        return found("number", may_be_code=_may_be_codes(known, name, count))
    words = known.cast(pl.String)
    if _are_truths(words):
        return found("boolean")
    is_nearly_unique = distinct > FEW and distinct > count / 2
    if is_nearly_unique or distinct > MOST_CATEGORIES:
        if _is_text(words):
            return found("text")
        return found("ignore", f"has {distinct:,} different words in {count:,} values")
    return found("category")


def is_whole(values: pl.Series) -> bool:
    """Whether values without gaps are written as whole numbers."""
    import polars as pl

    if values.dtype == pl.String:
        return bool(values.str.contains(WHOLE).all())
    return values.dtype.is_integer()


def are_names(values: pl.Series) -> bool:
    """Whether whole numbers without gaps lose something as 64-bit floats."""
    import polars as pl

    if not is_whole(values):
        return False
    if values.dtype == pl.String and values.str.contains(LEADING_ZERO).any():
        return True
    size = values.cast(pl.Float64).abs().max()
    return isinstance(size, float) and size >= EXACT


def _are_numbers(cells: Cells, name: str, known: pl.Series) -> bool:
    """Whether distinct values are numbers.

    Raises:
        InvalidData: they may be something else.
    """
    import polars as pl

    if known.dtype.is_numeric():
        return not are_names(known)
    if not cells.is_text:
        return False
    numbers = known.cast(pl.Float64, strict=False)
    if not numbers.null_count():
        return not are_names(known)
    others = known.filter(numbers.is_null())
    if others.str.contains(DECORATED).all():
        raise _refused(cells, name, others, _about_decoration(name, others))
    count = len(known) - len(others)
    if count >= MOSTLY * len(known) and count > FEW:
        gap = f"write `gaps: {[short(word) for word in _some(others)]}` if that means a gap"
        message = (
            f"{short(others[0])!r} is no number, and"
            f" {counted(count, 'other value is', 'others are')}."
            f" In `data`, {gap}, or `columns: {{{short(name)}: category}}` if they are names."
        )
        raise _refused(cells, name, others, message)
    return False


def _about_decoration(name: str, others: pl.Series) -> str:
    """What to do about numbers that are written for people."""
    few = listed([repr(short(word)) for word in _some(others)])
    return (
        f"{few}: write numbers with digits and a decimal point alone, as 1234.5."
        " Which mark separates thousands is not guessed."
        f" If they are names, write `columns: {{{short(name)}: category}}` in `data`."
    )


def _form_of_dates(cells: Cells, name: str, known: pl.Series) -> str:
    """The form of a column of dates; empty if it is none.

    Raises:
        InvalidData: some values are no dates, or days cannot be told from months.
    """
    column = f"columns: {{{short(name)}: category}}"
    if re.search(AMBIGUOUS, known[0]) and known.str.contains(AMBIGUOUS).all():
        message = (
            f"{short(known[0])!r}: the day cannot be told from the month. Write dates as"
            f" 2026-01-31, or `{column}` in `data` if it is no date."
        )
        raise _refused(cells, name, known, message)
    form = form_of(known)
    if not form:
        return ""
    parsed = days(known, form)
    wrong = known.filter(parsed.is_null())
    if not len(wrong):
        return form
    count = len(known) - len(wrong)
    if count < MOSTLY * len(known) or form == "%Y%m%d":
        return ""
    message = (
        f"{short(wrong[0])!r} is no date, and"
        f" {counted(count, 'other value is', 'other values are')}, such as"
        f" {short(known.filter(parsed.is_not_null())[0])!r}."
        f" In `data`, write `gaps: [{short(wrong[0])}]` if that means a gap, or `{column}`."
    )
    raise _refused(cells, name, wrong, message)


def _refused(cells: Cells, name: str, wrong: pl.Series, message: str) -> InvalidData:
    """An error at the first row that has the first of these values."""
    row = (cells.frame[name] == wrong[0]).fill_null(False).arg_max()
    line = cells.line(row or 0)
    return InvalidData(Issue(message, short(name), cells.origin, line))


def _some(values: pl.Series) -> list[str]:
    """The first of distinct values."""
    found: list[str] = values.head(MOST_TOLD).to_list()
    return found


def _are_truths(words: pl.Series) -> bool:
    """Whether there are two words, one for true and one for false."""
    if len(words) > 2:
        return False
    found = set(words.str.to_lowercase().to_list())
    return any(found == {*pair} for pair in TRUTHS.items())


def _is_text(words: pl.Series) -> bool:
    mean = words.str.count_matches(r"\S+").mean()
    return isinstance(mean, float) and mean >= WORDS_OF_A_TEXT


def _number_rows(known: pl.Series, name: str) -> bool:
    """Whether distinct values number the rows: whole, and in order or named so."""
    import polars as pl

    if not is_whole(known):
        return False
    steps = known.cast(pl.Int64).diff().drop_nulls()
    in_order = len(known) >= ROWS_NUMBERED and bool((steps == 1).all())
    return in_order or bool(_words_of(name) & IDS)


def _may_be_codes(known: pl.Series, name: str, count: int) -> bool:
    """Whether numbers may be the names of something, by the column's name or by their values.

    Args:
        known: distinct values.
        count: number of rows that have one.
    """
    import polars as pl

    distinct = len(known)
    if not is_whole(known) or distinct < 3:
        return False
    if _words_of(name) & CODES:
        return True
    if distinct > MOST_CODES or count < ROWS_A_CODE * distinct:
        return False
    numbers = set(known.cast(pl.Int64).to_list())
    return numbers in ({*range(distinct)}, {*range(1, distinct + 1)})


def _words_of(name: str) -> set[str]:
    """The words in a name such as `zip_code` or `customerId`, in small letters."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return {word.lower() for word in words}
