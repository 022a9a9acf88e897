"""What the height of a dot means, and where an axis has its ticks.

Higher is always better. Accuracy is drawn by the logarithm of the error, so that the way from 98 to 99 % is as long as
the one from 80 to 90 %; a positive loss by its logarithm; anything else as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from evonas.insight.summary import succeeded
from evonas.insight.words import number
from evonas.trial import Direction, Objective, Trial

Kind = Literal["accuracy", "log", "linear"]

ACCURACY = "accuracy"
ENOUGH_TICKS = 6

LARGEST = 1e300
"""Values beyond this have their dot at the end, so that no difference of two is infinite."""

SMALLEST = 1e-200
"""A loss below this is 0 by all means; its logarithm would be the end of every scale."""


@dataclass(frozen=True)
class Measure:
    """A metric, turned and stretched so that higher is better.

    Attributes:
        floor: the smallest magnitude (error or loss) that is told apart from 0.
    """

    name: str
    kind: Kind
    direction: Direction
    floor: float = 0.0

    @property
    def title(self) -> str:
        """What to write at the axis."""
        if self.kind == "accuracy":
            return f"{self.name} (by the logarithm of the error)"
        return f"{self.name} (better upwards{', logarithmic' if self.kind == 'log' else ''})"

    def value(self, trial: Trial) -> float | None:
        """The value that is drawn; None for a trial that has none."""
        fitness = succeeded(trial)
        return None if fitness is None else fitness.value

    def height(self, value: float) -> float:
        """The place on the axis, before it is scaled to the picture."""
        if self.kind == "linear":
            upwards = -value if self.direction == "min" else value
            return max(-LARGEST, min(upwards, LARGEST))
        magnitude = 1 - value if self.kind == "accuracy" else value
        return -math.log10(max(magnitude, self.floor))

    def text(self, value: float) -> str:
        """A value as a label: `98.6 %` or `0.0521`."""
        if self.kind != "accuracy":
            return number(value)
        error = 1 - value
        decimals = (
            1
            if error >= 0.01 or error <= 0
            else min(6, 1 - math.floor(math.log10(error) + 1e-9) - 2)
        )
        return f"{100 * value:.{max(1, decimals)}f} %" if error > 0 else "100 %"


def measure_of(trials: Sequence[Trial], objective: Objective) -> Measure:
    """The objective itself, on a scale that suits it: what is drawn is what the search saw, so the winner is on top."""
    return measure_for(
        [fitness.value for trial in trials if (fitness := succeeded(trial)) is not None], objective
    )


def measure_for(values: Sequence[float], objective: Objective) -> Measure:
    """The same from values of the objective."""
    is_accuracy = objective.name.endswith(ACCURACY) and not objective.weights
    if is_accuracy and values and all(0 <= value <= 1 for value in values):
        errors = [1 - value for value in values if value < 1]
        return Measure(objective.name, "accuracy", "max", min(errors, default=0.01) / 2)
    if objective.direction == "min" and values and min(values) > SMALLEST:
        return Measure(objective.name, "log", "min", min(values) / 2)
    return Measure(objective.name, "linear", objective.direction)


def bottom(heights: Sequence[float], kept: Sequence[float]) -> float:
    """The lower end of the axis: below all but far outliers, and below everything in `kept`.

    An outlier is one that would stretch the axis by more than half again, measured from the best to the twentieth that
    is worst.
    """
    ordered = sorted(heights)
    usual, high = ordered[len(ordered) // 20], ordered[-1]
    fence = usual - 0.6 * (high - usual)
    return min([*(height for height in ordered if height >= fence), *kept])


def ticks(measure: Measure, low: float, high: float, gap: float) -> list[tuple[float, str]]:
    """(height, label) pairs between two heights, at least `gap` apart.

    On a logarithmic axis round magnitudes come first; where it is so short that few fit, and on a linear one, the ticks
    are evenly round values.
    """
    placed: dict[float, str] = {}
    for tier in _magnitudes(measure, low, high):
        if len(placed) >= ENOUGH_TICKS:
            break
        for value, label in tier:
            height = measure.height(value)
            if low - 1e-9 <= height <= high + 1e-9 and all(
                abs(height - other) >= gap for other in placed
            ):
                placed[height] = label
    even = _even(measure, low, high, gap) if len(placed) < 3 else {}
    return sorted((even if len(even) > len(placed) else placed).items())


def _magnitudes(measure: Measure, low: float, high: float) -> Iterator[list[tuple[float, str]]]:
    """Candidates on a logarithmic axis, the roundest first."""
    if measure.kind == "linear":
        return
    smallest, largest = _power(-high), _power(-low)
    decades = range(math.floor(math.log10(smallest)), math.ceil(math.log10(largest)) + 1)
    if measure.kind == "accuracy" and smallest <= measure.floor * 1.001:
        yield [(1.0, "100 %")]
        smallest = 1.999 * measure.floor
    for factors in ((1,), (5, 2), (3, 7), (1.5, 4)):
        magnitudes = [factor * 10.0**k for k in decades for factor in factors]
        yield [_tick(measure, m) for m in magnitudes if smallest * 0.999 <= m <= largest * 1.001]


def _even(measure: Measure, low: float, high: float, gap: float) -> dict[float, str]:
    """The finest evenly round values whose ticks keep their distance."""
    if measure.kind == "linear":
        ends = sorted(
            (measure.height(low), measure.height(high))
        )  # a linear height is its own inverse
        tiers = round_values(ends[0], ends[1])
    elif measure.kind == "accuracy":  # in percent of error, so that the labels are round
        percents = round_values(100 * _power(-high), 100 * _power(-low))
        tiers = ([_tick(measure, percent / 100) for percent, _ in tier] for tier in percents)
    else:
        tiers = round_values(_power(-high), _power(-low))
    best: dict[float, str] = {}
    for tier in tiers:
        found = {measure.height(value): label for value, label in tier}
        places = sorted(found)
        if found and all(b - a >= gap for a, b in pairwise(places)):
            best = found
    return best


def _power(exponent: float) -> float:
    """Ten to the power, without overflow."""
    return float(10.0 ** max(-300.0, min(exponent, 300.0)))


def _tick(measure: Measure, magnitude: float) -> tuple[float, str]:
    if measure.kind == "accuracy":
        return 1 - magnitude, f"{round(100 * (1 - magnitude), 9):.9g} %"
    return magnitude, f"{round(magnitude, 12):.9g}"


def round_values(low: float, high: float) -> Iterator[list[tuple[float, str]]]:
    """Multiples of 5, 2 and 1 times powers of ten within two ends, with labels, from coarse to fine."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        yield [(low, f"{low:.9g}")]
        return
    exponent = math.floor(math.log10(span)) + 1
    for power in range(exponent, exponent - 3, -1):
        for factor in (5, 2, 1):
            step = factor * 10.0**power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            decimals = max(0, -power)
            if last - first <= 40:
                yield [(k * step, f"{k * step:,.{decimals}f}") for k in range(first, last + 1)]
