"""The picture of a comparison: best so far against the budget, as one SVG file.

Each strategy has a line with a band around it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evonas.insight.axis import Measure, bottom, measure_for, ticks
from evonas.insight.charts import COLOURS, caption, ending
from evonas.insight.comparison import Band, Curve
from evonas.insight.scale import Floats, Scale
from evonas.insight.svg import centre, coordinate, escape, opening, point, style, text
from evonas.insight.words import shortened
from evonas.trial import Objective

WIDTH, HEIGHT = 1000, 520
LEFT, RIGHT, TOP, BOTTOM = 78, 760, 96, 452
LINE_GAP = 17.0
"""Pixels between two labels at the right end."""
LABEL_LENGTH = 34
"""Characters of such a label."""


def comparison_svg(
    title: str,
    scale: Scale,
    unit: str,
    bands: Mapping[str, Band],
    curves: Mapping[str, Sequence[Curve]],
    dark: bool | None = None,
) -> str:
    """Draws what `charts.comparison_figure` draws, for a page that runs no script.

    Args:
        title: the experiment's name.
        scale: scale of the objective.
        unit: unit of the budget.
        bands: label -> mean and interval, all over the same budget.
        curves: label -> one curve a seed, drawn thin.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1000 by 520 units, better upwards as in the climb.
    """
    picture = _Picture(scale.objective, bands, curves)
    about = caption(bands, scale)
    parts = [
        opening("curves", WIDTH, HEIGHT),
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(picture.description(about))}</desc>",
        style("curves", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, about, "sub soft"),
        *picture.axes(unit),
        *picture.lines(),
        *picture.labels(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Picture:
    """The bands and curves, and the place of each value in the picture."""

    def __init__(
        self, objective: Objective, bands: Mapping[str, Band], curves: Mapping[str, Sequence[Curve]]
    ) -> None:
        self.bands = bands
        self.curves = curves
        values = _all_values(curves)
        ends = _final_ends(bands)
        self.measure = measure_for([*values, *ends], objective)
        kept = [self.measure.height(end) for end in ends]
        heights = [self.measure.height(value) for value in values]
        # Without any success there is nothing to draw, but the axis still needs two ends.
        if not heights:
            heights = [0.0, 1.0]
        low = bottom(heights, kept)
        high = max([*heights, *kept])
        room = 0.04 * (high - low)
        # If all values are equal, any room will do.
        if room == 0:
            room = 0.5
        self.low = low - room
        self.high = high + room
        budgets = [float(found.budget[-1]) for found in bands.values()]
        self.budget = max(budgets, default=1.0)

    def description(self, about: str) -> str:
        """The picture in words, for readers who do not see it."""
        ends = []
        for label, found in self.bands.items():
            if words := ending(found):
                ends.append(f"{label} ends at {words}")
        told = "; ".join(ends)
        return f"{about}. {told}."

    def x(self, spent: float) -> float:
        """The pixel of a part of the budget."""
        width = RIGHT - LEFT
        return LEFT + width * spent / self.budget

    def y(self, value: float) -> float:
        """The pixel of a value; one that is beyond the axis is at its end."""
        height = self.measure.height(value)
        # An outlier among the runs may be worse than the axis. An interval may be wider than it.
        shown = min(max(height, self.low), self.high)
        share = (shown - self.low) / (self.high - self.low)
        return BOTTOM - (BOTTOM - TOP) * share

    def axes(self, unit: str) -> Iterator[str]:
        """The grid, its labels, and what the axes mean."""
        upward = self._upward_ticks()
        grid = ""
        for y, _ in upward:
            grid += f"M{LEFT} {coordinate(y)}H{RIGHT}"
        grid += f"M{LEFT} {BOTTOM}H{RIGHT}"
        yield f'<path class="grid" d="{grid}"/>'
        for y, label in upward:
            yield text(LEFT - 9, y + 4, label, "tick soft", "end")
        scale = Measure("", "linear", "max")
        gap = self.budget / 12
        for spent, label in ticks(scale, 0.0, self.budget, gap):
            x = self.x(spent)
            yield text(x, BOTTOM + 20, label, "tick soft", "middle")
        middle = (LEFT + RIGHT) / 2
        yield text(middle, BOTTOM + 42, unit, "soft", "middle")
        yield text(LEFT - 52, TOP - 12, self.measure.title, "soft")

    def _upward_ticks(self) -> list[tuple[float, str]]:
        """Pixel and label of each tick of the vertical axis, at least 22 pixels apart."""
        length = BOTTOM - TOP
        span = self.high - self.low
        gap = 22 / length * span
        found = []
        for height, label in ticks(self.measure, self.low, self.high, gap):
            y = BOTTOM - length * (height - self.low) / span
            found.append((y, label))
        return found

    def lines(self) -> Iterator[str]:
        """The runs and the interval of each strategy, then all means."""
        for position, (label, found) in enumerate(self.bands.items()):
            colour = _colour(position)
            stroke = f'stroke="{colour}" stroke-width=".8" stroke-opacity=".4"'
            for one in self.curves[label]:
                path = self._stairs(found.budget, one.at(found.budget))
                yield f'<path fill="none" {stroke} d="{path}"/>'
            # The range of few runs is not filled: it would look like an interval.
            if found.is_interval:
                yield from self._interval(found, colour)
        # The means come last, so that no band covers one of them.
        for position, found in enumerate(self.bands.values()):
            stroke = f'stroke="{_colour(position)}" stroke-width="2.6"'
            if found.failed:
                stroke += ' stroke-dasharray="7 4"'
            path = self._stairs(found.budget, found.middle)
            yield f'<path fill="none" {stroke} d="{path}"/>'

    def _interval(self, found: Band, colour: str) -> Iterator[str]:
        """The area between the ends of an interval."""
        # The border: along its upper end, and back along the lower one.
        there = self._stairs(found.budget, found.high)
        back = self._stairs(found.budget, found.low, backwards=True)
        if there:
            border = f"{there}L{back[1:]}Z"
            yield f'<path fill="{colour}" fill-opacity=".13" d="{border}"/>'

    def labels(self) -> Iterator[str]:
        """The name and the end of each line, at its right end, kept apart."""
        ends = []
        for position, (label, found) in enumerate(self.bands.items()):
            told = ending(found)
            # A run without any trial has neither a success nor a failure.
            if told:
                # The median of a strategy that mostly found nothing is below everything.
                final = float(found.middle[-1])
                y = self.y(final) if np.isfinite(final) else BOTTOM
                name = shortened(label, LABEL_LENGTH - len(told) - 2)
                ends.append((y, _colour(position), f"{name}  {told}"))
        ends.sort()
        heights = [y for y, _, _ in ends]
        places = _apart(heights, LINE_GAP, BOTTOM)
        for place, (y, colour, words) in zip(places, ends, strict=True):
            # A short line leads from the curve's end to its label, which may have moved.
            start = point(RIGHT, y)
            end = point(RIGHT + 14, place)
            stroke = f'stroke="{colour}" stroke-width="1.2"'
            yield f'<path fill="none" {stroke} d="M{start}L{end}"/>'
            yield f'<circle fill="{colour}" {centre(RIGHT + 18, place)} r="4"/>'
            yield text(RIGHT + 28, place + 4, words, "ink")

    def _stairs(self, budget: Floats, values: Floats, backwards: bool = False) -> str:
        """A step function as a path, from the first value that is known; empty without any."""
        shown = np.isfinite(values)
        points = []
        for spent, value in zip(budget[shown], values[shown], strict=True):
            x = self.x(float(spent))
            y = self.y(float(value))
            points.append((x, y))
        if not points:
            return ""
        # Only the corners of the steps: most points of the grid change nothing.
        corners = [points[0]]
        for (_, before), (x, after) in itertools.pairwise(points):
            if after != before:
                corners.append((x, before))
                corners.append((x, after))
        corners.append(points[-1])
        if backwards:
            corners.reverse()
        path = "L".join(point(x, y) for x, y in corners)
        return f"M{path}"


def _all_values(curves: Mapping[str, Sequence[Curve]]) -> list[float]:
    """Each finite value of a run."""
    values: list[float] = []
    for some in curves.values():
        for one in some:
            known = one.best[np.isfinite(one.best)]
            values += known.tolist()
    return values


def _final_ends(bands: Mapping[str, Band]) -> list[float]:
    """Both ends of each band when the budget is spent: the axis must show them."""
    ends = []
    for found in bands.values():
        for end in (float(found.low[-1]), float(found.high[-1])):
            if np.isfinite(end):
                ends.append(end)
    return ends


def _colour(position: int) -> str:
    """The colour of a strategy; after the last one they begin again."""
    place = position % len(COLOURS)
    return COLOURS[place]


def _apart(places: Sequence[float], gap: float, end: float) -> list[float]:
    """Ascending places, moved as little as possible to be a gap apart and before the end."""
    moved: list[float] = []
    # Downwards first: each place makes room for the one above it.
    for place in places:
        if moved:
            earliest = moved[-1] + gap
            place = max(place, earliest)
        moved.append(place)
    # The last ones may now be beyond the end. They go back up, and push the others before them.
    latest = end
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], latest)
        latest = moved[i] - gap
    return moved
