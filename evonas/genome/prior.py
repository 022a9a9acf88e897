"""Priors: which values of a parameter are likely, as the user or the space's author says.

A prior is the quantile function of a parameter's coordinate: a uniform place of the unit interval
gives a likely value more often. Nothing that is allowed becomes impossible.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import NormalDist

FLOOR = 0.1
"""The part of the draws of a number that is spread evenly over its whole range, whatever the prior.

A search must be able to find out that a prior is wrong. It also keeps every value on the way to the
unit interval and back, also far from the median.
"""

PIECES = 256
"""Pieces of equal width in which a curve is laid on a range; the curve is even within each.

A power of two, so that the places of their ends are exact.
"""

NARROWEST = 0.01
"""The smallest spread, as a part of the width of a range; below it, the pieces would be seen."""


@dataclass(frozen=True)
class Prior:
    """A normal curve over the scale of a number, cut off at the ends of its range.

    Attributes:
        median: the value in the middle of the curve, within the range.
        spread: one standard deviation: a factor above 1 on a log scale, otherwise a distance.
    """

    median: float
    spread: float


class Shares:
    """The unit interval, cut into pieces that stand for pieces of something else.

    Args:
        weights: size of each piece relative to the others, in order; all are above 0.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        sums = list(accumulate(weights))
        total = sums[-1]
        self._ends = [0.0, *(end / total for end in sums)]
        # Rounding may leave the last end a little below 1.
        self._ends[-1] = 1.0

    def piece(self, u: float) -> int:
        """The number of the piece at this place of the unit interval."""
        found = bisect_right(self._ends, u) - 1
        # For u = 1.0 the piece is one too far.
        return min(found, len(self._ends) - 2)

    def middle(self, piece: int) -> float:
        """The middle of a piece."""
        return (self._ends[piece] + self._ends[piece + 1]) / 2

    def even(self, u: float) -> float:
        """The place that this one would have if all pieces were of one size."""
        piece = self.piece(u)
        low = self._ends[piece]
        high = self._ends[piece + 1]
        return (piece + (u - low) / (high - low)) / (len(self._ends) - 1)

    def uneven(self, even: float) -> float:
        """The place whose `even` place is this one."""
        count = len(self._ends) - 1
        piece = min(int(even * count), count - 1)
        low = self._ends[piece]
        high = self._ends[piece + 1]
        return low + (even * count - piece) * (high - low)


def curve(middle: float, deviation: float) -> Shares:
    """A normal curve on the unit interval, cut off at 0 and 1, above its floor.

    Args:
        middle: place of the median, in [0, 1].
        deviation: standard deviation, at least `NARROWEST`.
    """
    normal = NormalDist(middle, deviation)
    below = [normal.cdf(i / PIECES) for i in range(PIECES + 1)]
    inside = below[-1] - below[0]
    weights = []
    for low, high in pairwise(below):
        of_curve = (high - low) / inside
        weights.append(FLOOR / PIECES + (1 - FLOOR) * of_curve)
    return Shares(weights)
