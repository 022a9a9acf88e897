"""What the height of a dot means, and where an axis has its ticks.

Higher is always better. Accuracy is drawn by the logarithm of the error: the way from 98 to 99 % is
as long as the way from 80 to 90 %. A positive loss is drawn by its logarithm. Anything else is
drawn as it is.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from evonas.insight.summary import succeeded
from evonas.learning.metrics import is_share
from evonas.trial import Direction, Objective, Trial
from evonas.words import number

Kind = Literal["accuracy", "log", "linear"]

ACCURACY = "accuracy"
ENOUGH_TICKS = 6

LARGEST = 1e300
"""Values beyond this have their dot at the end, so that no difference of two is infinite."""

SMALLEST = 1e-200
"""A loss below this is drawn as 0; its logarithm would be the end of every scale."""

Tick = tuple[float, str]
"""A value or a height, and its label."""


@dataclass(frozen=True)
class Measure:
    """A metric, turned and stretched so that higher is better.

    Attributes:
        floor: smallest magnitude (error or loss) that is told apart from 0.
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
        if self.kind == "log":
            return f"{self.name} (better upwards, logarithmic)"
        return f"{self.name} (better upwards)"

    def value(self, trial: Trial) -> float | None:
        """The value that is drawn; None for a trial that has none."""
        fitness = succeeded(trial)
        if fitness is None:
            return None
        return fitness.value

    def height(self, value: float) -> float:
        """The place on the axis, before it is scaled to the picture."""
        if self.kind == "linear":
            upwards = value
            if self.direction == "min":
                upwards = -value
            limited = min(upwards, LARGEST)
            return max(-LARGEST, limited)
        magnitude = value
        if self.kind == "accuracy":
            magnitude = 1 - value
        # A smaller magnitude is better, so that its logarithm is turned.
        visible = max(magnitude, self.floor)
        return -math.log10(visible)

    def text(self, value: float) -> str:
        """A value as a label: `98.6 %` or `0.0521`."""
        if self.kind != "accuracy":
            return number(value)
        error = 1 - value
        if error <= 0:
            return "100 %"
        decimals = 1
        if error < 0.01:
            # Two digits of the error are shown. The small number keeps an exact power of ten on
            # its own side, whatever its logarithm is rounded to.
            exponent = math.floor(math.log10(error) + 1e-9)
            decimals = min(6, 1 - exponent - 2)
        return f"{100 * value:.{max(1, decimals)}f} %"


def measure_of(trials: Sequence[Trial], objective: Objective) -> Measure:
    """The objective itself, on a scale that suits it."""
    # It is what the search has seen, so that the winner is on top.
    values = []
    for trial in trials:
        fitness = succeeded(trial)
        if fitness is not None:
            values.append(fitness.value)
    return measure_for(values, objective)


def measure_for(values: Sequence[float], objective: Objective) -> Measure:
    """The objective on a scale that suits these values of it."""
    name = objective.name
    if _are_accuracies(values, objective):
        errors = [1 - value for value in values if value < 1]
        # An error of 0 has no logarithm; it is drawn as half of the smallest other error.
        smallest = min(errors, default=0.01)
        return Measure(name, "accuracy", "max", smallest / 2)
    if objective.direction == "min" and values:
        smallest = min(values)
        if smallest > SMALLEST:
            return Measure(name, "log", "min", smallest / 2)
    return Measure(name, "linear", objective.direction)


def _are_accuracies(values: Sequence[float], objective: Objective) -> bool:
    """Whether these are shares of right answers, from 0 to 1."""
    # A weighted sum may be called accuracy, and an accuracy may be in percent.
    if objective.weights:
        return False
    if not is_share(objective.name) and not objective.name.endswith(ACCURACY):
        return False
    if not values:
        return False
    return all(0 <= value <= 1 for value in values)


def bottom(heights: Sequence[float], kept: Sequence[float]) -> float:
    """The lower end of the axis: below all but far outliers, and below everything in `kept`.

    An outlier would stretch the axis by more than 60 %. The axis is measured from the best height
    to the one that only a twentieth of all heights are below.
    """
    ordered = sorted(heights)
    high = ordered[-1]
    position = len(ordered) // 20
    usual = ordered[position]
    fence = usual - 0.6 * (high - usual)
    # The lowest height that is no outlier.
    first = bisect.bisect_left(ordered, fence)
    lowest = ordered[first]
    return min([lowest, *kept])


def ticks(measure: Measure, low: float, high: float, gap: float) -> list[Tick]:
    """(height, label) pairs between two heights, at least `gap` apart.

    A logarithmic axis has ticks at round magnitudes. If few of them fit, and on a linear axis, the
    ticks are evenly round values.
    """
    placed: dict[float, str] = {}
    for tier in _magnitudes(measure, low, high):
        if len(placed) >= ENOUGH_TICKS:
            break
        for value, label in tier:
            height = measure.height(value)
            # The ends of an axis are often round values themselves; none is lost to rounding.
            is_inside = low - 1e-9 <= height <= high + 1e-9
            if is_inside and _is_apart(height, placed, gap):
                placed[height] = label
    if len(placed) < 3:
        even = _even(measure, low, high, gap)
        if len(even) > len(placed):
            placed = even
    return sorted(placed.items())


def _is_apart(height: float, others: Iterable[float], gap: float) -> bool:
    """Whether a tick keeps its distance from the others."""
    nearest = min((abs(height - other) for other in others), default=math.inf)
    return nearest >= gap


def _magnitudes(measure: Measure, low: float, high: float) -> Iterator[list[Tick]]:
    """Candidates on a logarithmic axis, in tiers, the roundest first."""
    if measure.kind == "linear":
        return
    # Higher is better: the upper end of the axis has the smallest magnitude.
    smallest = _power(-high)
    largest = _power(-low)
    first = math.floor(math.log10(smallest))
    last = math.ceil(math.log10(largest))
    if measure.kind == "accuracy" and smallest <= measure.floor * 1.001:
        yield [(1.0, "100 %")]
        # The smallest error is twice the floor. Between it and 100 % there is nothing to label.
        smallest = 1.999 * measure.floor
    # The ends may be round themselves; none is lost to rounding.
    least = smallest * 0.999
    most = largest * 1.001
    for factors in ((1,), (5, 2), (3, 7), (1.5, 4)):
        tier = []
        for exponent in range(first, last + 1):
            for factor in factors:
                magnitude = factor * 10.0**exponent
                if least <= magnitude <= most:
                    tier.append(_tick(measure, magnitude))
        yield tier


def _even(measure: Measure, low: float, high: float, gap: float) -> dict[float, str]:
    """The finest evenly round values whose ticks keep their distance."""
    best: dict[float, str] = {}
    for tier in _even_tiers(measure, low, high):
        found = {}
        for value, label in tier:
            height = measure.height(value)
            found[height] = label
        places = sorted(found)
        is_fitting = all(b - a >= gap for a, b in pairwise(places))
        if found and is_fitting:
            best = found
    return best


def _even_tiers(measure: Measure, low: float, high: float) -> Iterator[list[Tick]]:
    """Evenly round values between two heights, from coarse to fine."""
    if measure.kind == "linear":
        # The height of a linear height is the value again: it is turned twice, or not at all.
        ends = (measure.height(low), measure.height(high))
        yield from round_values(min(ends), max(ends))
        return
    smallest = _power(-high)
    largest = _power(-low)
    if measure.kind == "log":
        yield from round_values(smallest, largest)
        return
    # In percent of error, so that the labels are round.
    for tier in round_values(100 * smallest, 100 * largest):
        yield [_tick(measure, percent / 100) for percent, _ in tier]


def _power(exponent: float) -> float:
    """Ten to the power, without overflow."""
    limited = min(exponent, 300.0)
    limited = max(-300.0, limited)
    return float(10.0**limited)


def _tick(measure: Measure, magnitude: float) -> Tick:
    """The value and the label of a magnitude."""
    # Rounding first takes away what floats add: 0.30000000000000004.
    if measure.kind == "accuracy":
        value = 1 - magnitude
        percent = round(100 * value, 9)
        return value, f"{percent:.9g} %"
    shown = round(magnitude, 12)
    return magnitude, f"{shown:.9g}"


def round_values(low: float, high: float) -> Iterator[list[Tick]]:
    """Multiples of 5, 2 and 1 times powers of ten between two ends, from coarse to fine.

    Each comes with its label.
    """
    span = high - low
    if not span > 0 or not math.isfinite(span):
        yield [(low, f"{low:.9g}")]
        return
    exponent = math.floor(math.log10(span)) + 1
    for power in range(exponent, exponent - 3, -1):
        decimals = max(0, -power)
        for factor in (5, 2, 1):
            step = factor * 10.0**power
            # An end that is a multiple itself is not lost to rounding.
            first = math.ceil(low / step - 1e-9)
            last = math.floor(high / step + 1e-9)
            # More would be too many ticks for any picture.
            if last - first > 40:
                continue
            tier = []
            for k in range(first, last + 1):
                value = k * step
                tier.append((value, f"{value:,.{decimals}f}"))
            yield tier
