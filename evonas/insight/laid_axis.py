"""An axis that is laid over the pixels of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evonas.insight.axis import Measure, Tick, bottom, ticks


@dataclass(frozen=True)
class LaidAxis:
    """A measure between two heights, laid over pixels.

    Attributes:
        low, high: heights of the worst and of the best value.
        start, end: pixels of the worst and of the best value.
    """

    measure: Measure
    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """The pixel of a value; one that is worse than the axis's end is just beyond the end."""
        height = self.measure.height(value)
        span = self.high - self.low
        share = (height - self.low) / span
        length = self.end - self.start
        return self.start + max(share, -0.012) * length

    def ticks(self, gap: float) -> list[Tick]:
        """Pixel and label of each tick, at least `gap` pixels apart."""
        span = self.high - self.low
        # An axis may run from right to left, and upwards it always runs against the pixels.
        length = self.end - self.start
        height_gap = gap * span / abs(length)
        pixels = length / span
        found = []
        for height, label in ticks(self.measure, self.low, self.high, height_gap):
            place = self.start + (height - self.low) * pixels
            found.append((place, label))
        return found


def laid(
    measure: Measure, values: Sequence[float], kept: Sequence[float], ends: tuple[float, float]
) -> LaidAxis:
    """The axis from the worst value that is no outlier to the best.

    Args:
        values: at least one.
        kept: values that are no outliers, however bad they are.
        ends: pixels of the worst and of the best value.
    """
    heights = [measure.height(value) for value in values]
    low = bottom(heights, [measure.height(value) for value in kept])
    high = max(heights)
    # If all values are equal, the axis would have no length, and a place is a share of the length.
    if not high - low > 1e-12 * max(1.0, abs(high)):
        room = 0.1 if abs(high) < 1000 else 0.1 * abs(high)
        low -= room
        high += room
    start, end = ends
    return LaidAxis(measure, low, high, start, end)
