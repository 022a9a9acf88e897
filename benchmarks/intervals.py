"""The exact interval of a share.

A count of few repeats says little: 3 of 5 may be 15 % of all repeats, or 95 %. So no table shows a
count without its interval.
"""

from __future__ import annotations

from scipy.stats import binomtest


def exact_interval(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Clopper and Pearson, 1934).

    It holds the true share in at least 95 % of all cases, for any number of repeats.

    Args:
        count: number of repeats that are counted.
        total: number of all repeats, at least 1. They must not depend on one another.

    Returns:
        The ends of the interval, in [0, 1].
    """
    interval = binomtest(count, total).proportion_ci(confidence_level=0.95, method="exact")
    return float(interval.low), float(interval.high)


def bracket(count: int, total: int) -> str:
    """The interval in whole percent, such as `(15% to 95%)`."""
    low, high = exact_interval(count, total)
    return f"({low:.0%} to {high:.0%})"


def share(count: int, total: int) -> str:
    """A share with its interval, such as `60% (15% to 95%)`."""
    return f"{count / total:.0%} {bracket(count, total)}"


def counted(count: int, total: int) -> str:
    """A count with the interval of its share, such as `3 of 5 (15% to 95%)`."""
    return f"{count} of {total} {bracket(count, total)}"
