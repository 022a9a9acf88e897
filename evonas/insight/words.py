"""Names and amounts for pictures: short."""

from __future__ import annotations


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
