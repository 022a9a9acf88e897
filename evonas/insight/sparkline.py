"""A learning curve on one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEVELS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
"""Bars of eight heights, the lowest first. Text that is no Unicode cannot say them."""

WIDTH = 32


def sparkline(values: Sequence[float | None], width: int = WIDTH) -> str:
    """One bar for each value, its height between the least and the greatest value.

    More values than `width` are averaged in groups of neighbours. A value that is missing or not
    finite leaves a gap.
    """
    groups = _groups(values, width)
    known = [value for value in groups if value is not None]
    if not known:
        return ""
    low = min(known)
    span = max(known) - low
    bars = []
    for value in groups:
        if value is None:
            bars.append(" ")
            continue
        # A curve without any change is a low line.
        share = (value - low) / span if span else 0.0
        level = round(share * (len(LEVELS) - 1))
        bars.append(LEVELS[level])
    return "".join(bars)


def _groups(values: Sequence[float | None], width: int) -> list[float | None]:
    """The values, or the means of neighbours if there are more than `width`."""
    count = min(len(values), width)
    groups: list[float | None] = []
    for place in range(count):
        start = place * len(values) // count
        stop = (place + 1) * len(values) // count
        known = [value for value in values[start:stop] if value is not None]
        finite = [value for value in known if math.isfinite(value)]
        mean = None
        if finite:
            mean = sum(finite) / len(finite)
        groups.append(mean)
    return groups
