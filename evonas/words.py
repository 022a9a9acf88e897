"""Numbers, lists and foreign text as every sentence, table and picture writes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

DIGITS = 4
"""Significant digits that a number has at least."""
COUNTS = frozenset({"parameters", "flops", "best_epoch", "accumulation_steps", "cut_short"})
"""Metrics that count something. The record does not tell 850 parameters from 850.0."""
MOST_DIGITS = 16
"""Digits after which a share below 1 is told as 1: a float has no more."""
TOLD = 300
"""Characters of a message of the user's code that are printed."""
RECORDED = 4000
"""Characters of a message of the user's code that the record keeps."""

LETTERS = "letters from a to z or A to Z"
"""What a name is made of that is a folder's, a key's or a function's; others have letters, too."""

_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]+")
# Control characters would move a terminal's cursor and are illegal in XML. Direction overrides hide
# what a name says. Lone surrogates cannot be written as UTF-8.
_MARKS = "\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
_UNSAFE = re.compile(f"[\x00-\x1f\u2028\u2029{_MARKS}]")
_UNSAFE_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f\u2028\u2029{_MARKS}]")


def number(value: float | None) -> str:
    """Four decimals, and more if the number is small: `0.9850`, `0.05210`, `1e-07`, `1,234,567`.

    Whole numbers keep all of their digits. A share below 1 is never rounded to 1. None is `-`.
    """
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e15 or size < 1e-4:
        return f"{value:.{DIGITS}g}"
    if round(size, DIGITS) >= 1000:
        return f"{value:,.0f}"
    digits = DIGITS
    # A loss of 0.9999999 is no 1, and an accuracy of 0.99996 is not perfect.
    while size < 1 and round(size, digits) == 1 and digits < MOST_DIGITS:
        digits += 1
    if digits > DIGITS:
        return f"{value:.{digits}f}"
    # The exponent of the rounded number: 0.099999 has the four digits of 0.1.
    exponent = int(f"{size:.{DIGITS - 1}e}".partition("e")[2])
    decimals = max(DIGITS, DIGITS - 1 - exponent)
    return f"{value:.{decimals}f}"


def difference(value: float) -> str:
    """The size of a difference of two numbers, as `number` writes it.

    A computer finds 0.9999999999999998 between 2.2 and 1.2. What is beyond 12 digits is its own.
    """
    if isinstance(value, int):
        return number(abs(value))
    return number(float(f"{abs(value):.12g}"))


def measured(name: str, value: float | None) -> str:
    """The number of a metric; of one that counts something, without decimals."""
    if value is not None and name in COUNTS and float(value).is_integer():
        return number(int(value))
    return number(value)


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 trial`, `2,000 trials`.

    Args:
        plural: noun for any other number than 1; by default with an s.
    """
    word = noun
    if count != 1:
        word = plural or noun + "s"
    return f"{count:,} {word}"


def span(seconds: float) -> str:
    """A time in the largest unit that has a whole number of it: `90 seconds`, `2 minutes`."""
    for unit, length in (("hour", 3600), ("minute", 60), ("second", 1)):
        count = seconds / length
        if count >= 1 and count.is_integer():
            return counted(int(count), unit)
    return f"{seconds:g} seconds"


def listed(items: Sequence[str]) -> str:
    """`7`, `7 and 9`, `7, 9 and 12`."""
    if len(items) < 2:
        return "".join(items)
    *first, last = items
    before = ", ".join(first)
    return f"{before} and {last}"


def size(count: int) -> str:
    """A number of bytes: `512 bytes`, `1.5 MiB`, `2,048.0 GiB`."""
    if count >= 2**30:
        return f"{count / 2**30:,.1f} GiB"
    if count >= 2**20:
        return f"{count / 2**20:,.1f} MiB"
    return counted(count, "byte")


def clean(text: str) -> str:
    """One line without control characters, text direction overrides and lone surrogates.

    Line breaks and tabs become spaces. The others become the replacement character.
    """
    one_line = _BREAKS.sub(" ", text)
    return _UNSAFE.sub("\ufffd", one_line)


def clean_lines(text: str) -> str:
    """The same for a text of several lines, which keeps its line feeds and tabs."""
    return _UNSAFE_IN_LINES.sub("\ufffd", text.replace("\r\n", "\n"))


def excerpt(text: str, most: int = TOLD) -> str:
    """A message of the user's code as it is printed: one clean line, cut with three dots.

    Args:
        most: number of characters that it has at most.
    """
    # The rest is not even looked at: it may be megabytes.
    return cut(clean(text[: most + 1]), most)


def cut(text: str, most: int) -> str:
    """At most so many characters, with three dots if something was left out."""
    if len(text) <= most:
        return text
    # Three dots: not every encoding has a character for them.
    return f"{text[: most - 3].rstrip()}..."


def shown(value: Any) -> str:
    """A value about as the user wrote it, printable, and cut to 80 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    # JSON escapes control characters, but neither DEL nor characters that no font knows.
    if not text.isprintable():
        text = "".join(_printable(character) for character in text)
    if len(text) <= 80:
        return text
    return text[:77] + "..."


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
