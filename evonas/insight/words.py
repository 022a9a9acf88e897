"""Names and amounts for pictures: short, and safe in a terminal and in XML."""

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


def amount(value: float) -> str:
    """About three digits with a suffix, for a picture: `950`, `12.3k`, `4.56M`."""
    # Rounded first: 999,999 is 1M, not 1000k.
    size = float(f"{abs(value):.3g}")
    for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= factor:
            short = value / factor
            return f"{short:.3g}{suffix}"
    return f"{value:.3g}"


def shortened(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis if something was left out."""
    if len(text) <= length:
        return text
    # The ellipsis takes one of the characters.
    start = text[: length - 1]
    return start.rstrip() + "\u2026"
