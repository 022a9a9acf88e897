"""Numbers and names for a reader: short, exact enough, and safe in a terminal and in XML."""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]+")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """One line without control characters, text direction overrides and lone surrogates.

    The first would move a terminal's cursor and are illegal in XML, the second hide what a name says, the third cannot
    be written as UTF-8. Line breaks and tabs become spaces, the others the replacement character.
    """
    return _UNSAFE.sub("\ufffd", _BREAKS.sub(" ", text))


def number(value: float) -> str:
    """About four digits: `0.0521`, `12.3400`, `3.1e-05`, `12,345`."""
    size = abs(value)
    if size == 0:
        return "0"
    if 0.001 <= size < 1000:
        return f"{value:.4f}"
    return f"{value:,.0f}" if 1000 <= size < 1e7 else f"{value:.3g}"


def signed(value: float) -> str:
    """Like `number`, always with a sign; zero has none."""
    return number(value) if value <= 0 else f"+{number(value)}"


def amount(value: float) -> str:
    """About three digits with a suffix: `950`, `12.3k`, `4.56M`."""
    size = abs(value)
    for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= factor:
            return f"{value / factor:.3g}{suffix}"
    return f"{value:.3g}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 trial`, `2,000 trials`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """`7`, `7 and 9`, `7, 9 and 12`."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def shortened(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis where something was left out."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "\u2026"
