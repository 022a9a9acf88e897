"""Dates in words: in which form a column is written, and days since 1970."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_DAYS = {
    "%Y-%m-%d": r"\d{4}-\d{1,2}-\d{1,2}",
    "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}",
    "%d.%m.%Y": r"\d{1,2}\.\d{1,2}\.\d{4}",
}
_HOURS = {
    "": "",
    " %H:%M": r" \d{1,2}:\d{2}",
    " %H:%M:%S%.f": r" \d{1,2}:\d{2}:\d{2}(\.\d+)?",
    "T%H:%M": r"T\d{2}:\d{2}",
    "T%H:%M:%S%.f": r"T\d{2}:\d{2}:\d{2}(\.\d+)?",
}
_ZONES = {"": "", "%#z": r"(Z|[+-]\d{2}(:?\d{2})?)"}

AMBIGUOUS = r"^\d{1,2}[/-]\d{1,2}[/-](\d{2}|\d{4})( .*)?$"
"""Dates of which nobody can tell the day from the month."""

MICROSECONDS_A_DAY = 86_400 * 1_000_000

LOOKED_AT = 5
"""Number of words that are compared with the forms. A first one may be a mistake."""


def _forms() -> dict[str, str]:
    """Each form, and the pattern of the words that may have it."""
    found = {"%Y%m%d": r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"}
    for day, of_day in _DAYS.items():
        for hour, of_hour in _HOURS.items():
            for zone, of_zone in _ZONES.items():
                # A day alone has no zone.
                if hour or not zone:
                    found[day + hour + zone] = of_day + of_hour + of_zone
    return found


FORMS = _forms()


def form_of(words: pl.Series) -> str:
    """The form that most of the first words may have; empty if they are no dates.

    Args:
        words: words without gaps.
    """
    first = words.head(LOOKED_AT).to_list()
    for form, pattern in FORMS.items():
        alike = [word for word in first if re.fullmatch(pattern, word)]
        if len(alike) > len(first) / 2:
            return form
    return ""


def days(series: pl.Series, form: str) -> pl.Series:
    """Days since 1970-01-01, with the part of the day; null for what is no such date.

    Args:
        series: words in this form, dates, or moments. A moment with a zone counts in UTC.
    """
    import polars as pl

    moments = series
    if series.dtype == pl.String and "%H" in form:
        moments = series.str.to_datetime(form, strict=False, time_unit="us")
    elif series.dtype == pl.String:
        moments = series.str.to_date(form, strict=False)
    return moments.cast(pl.Datetime("us")).dt.epoch("us") / MICROSECONDS_A_DAY
