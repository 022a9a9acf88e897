"""Numbers and lists as every sentence, table and picture writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

DIGITS = 4
"""Significant digits that a number has at least."""
COUNTS = frozenset({"parameters", "flops", "best_epoch", "accumulation_steps"})
"""Metrics that count something. The record does not tell 850 parameters from 850.0."""
MOST_DIGITS = 16
"""Digits after which a share below 1 is told as 1: a float has no more."""


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
