"""Numbers and names for a reader: short, exact enough, and safe in a terminal and in XML."""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]+")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """One line without control characters, text direction overrides and lone surrogates.

    Line breaks and tabs become spaces. The others become the replacement character.
    """
    one_line = _BREAKS.sub(" ", text)
    # Control characters would move a terminal's cursor and are illegal in XML. Direction overrides
    # hide what a name says. Lone surrogates cannot be written as UTF-8.
    return _UNSAFE.sub("\ufffd", one_line)


def number(value: float) -> str:
    """About four digits: `0.0521`, `12.3400`, `3.1e-05`, `12,345`."""
    size = abs(value)
    if size == 0:
        return "0"
    if 0.001 <= size < 1000:
        return f"{value:.4f}"
    if 1000 <= size < 1e7:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def signed(value: float) -> str:
    """Like `number`, always with a sign; zero has none."""
    words = number(value)
    if value <= 0:
        return words
    return f"+{words}"


def amount(value: float) -> str:
    """About three digits with a suffix: `950`, `12.3k`, `4.56M`."""
    size = abs(value)
    for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= factor:
            short = value / factor
            return f"{short:.3g}{suffix}"
    return f"{value:.3g}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 trial`, `2,000 trials`."""
    word = noun
    if count != 1:
        word = plural or noun + "s"
    return f"{count:,} {word}"


def listed(items: list[str]) -> str:
    """`7`, `7 and 9`, `7, 9 and 12`."""
    if len(items) < 2:
        return "".join(items)
    *first, last = items
    before = ", ".join(first)
    return f"{before} and {last}"


def shortened(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis if something was left out."""
    if len(text) <= length:
        return text
    # The ellipsis takes one of the characters.
    start = text[: length - 1]
    return start.rstrip() + "\u2026"
