"""The picture of a comparison: best so far against the budget, one line a strategy with its band, as one SVG file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evonas.insight.axis import Measure, bottom, measure_for, ticks
from evonas.insight.charts import COLOURS
from evonas.insight.comparison import Band, Curve, Floats
from evonas.insight.svg import coordinate, escape, style, text
from evonas.insight.words import counted, number, shortened
from evonas.trial import Objective

WIDTH, HEIGHT = 1000, 520
LEFT, RIGHT, TOP, BOTTOM = 78, 760, 96, 452
LINE_GAP = 17.0
"""Between two labels at the right end."""


def comparison_svg(
    title: str,
    objective: Objective,
    unit: str,
    bands: Mapping[str, Band],
    curves: Mapping[str, Sequence[Curve]],
    dark: bool | None = None,
) -> str:
    """Draws what `charts.comparison_figure` draws, for a page that runs no script.

    Args:
        title: the experiment's name.
        unit: of the budget.
        bands: label -> mean and interval, all over the same budget.
        curves: label -> one curve a seed, drawn thin.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1000 by 520 units, better upwards as in the climb.
    """
    picture = _Picture(objective, bands, curves)
    seeds = max(map(len, curves.values()), default=0)
    about = f"best {objective.name} so far: mean of {counted(seeds, 'seed')}, its 95 % bootstrap interval, and each run"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curves" role="img" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width:100%;height:auto">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(picture.description(about))}</desc>",
        style("curves", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, about, "sub soft"),
        *picture.axes(unit),
        *picture.lines(),
        *picture.labels(),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Picture:
    """Where everything is."""

    def __init__(
        self, objective: Objective, bands: Mapping[str, Band], curves: Mapping[str, Sequence[Curve]]
    ) -> None:
        self.bands, self.curves = bands, curves
        values = [float(v) for found in bands.values() for v in found.low[np.isfinite(found.low)]]
        values += [
            float(v)
            for some in curves.values()
            for one in some
            for v in one.best[np.isfinite(one.best)]
        ]
        self.measure = measure_for(values, objective)
        heights = sorted(map(self.measure.height, values)) or [0.0, 1.0]
        finals = [
            self.measure.height(float(found.low[-1]))
            for found in bands.values()
            if np.isfinite(found.low[-1])
        ]
        low, high = bottom(heights, finals), heights[-1]
        room = 0.04 * (high - low) or 0.5
        self.low, self.high = low - room, high + room
        self.budget = max((float(found.budget[-1]) for found in bands.values()), default=1.0)

    def description(self, about: str) -> str:
        """In words, for those who do not see the picture."""
        ends = (
            f"{label} ends at {number(float(found.mean[-1]))}"
            for label, found in self.bands.items()
            if np.isfinite(found.mean[-1])
        )
        return f"{about}. {'; '.join(ends)}."

    def x(self, spent: float) -> float:
        return LEFT + (RIGHT - LEFT) * spent / self.budget

    def y(self, value: float) -> float:
        """Of a value; what is worse than the axis is at its lower end."""
        share = (max(self.measure.height(value), self.low) - self.low) / (self.high - self.low)
        return BOTTOM - (BOTTOM - TOP) * share

    def axes(self, unit: str) -> Iterator[str]:
        gap = 22 / (BOTTOM - TOP) * (self.high - self.low)
        upward = [
            (BOTTOM - (BOTTOM - TOP) * (height - self.low) / (self.high - self.low), label)
            for height, label in ticks(self.measure, self.low, self.high, gap)
        ]
        step = Measure("", "linear", "max")
        across = [
            (self.x(spent), label)
            for spent, label in ticks(step, 0.0, self.budget, self.budget / 12)
        ]
        lines = [f"M{LEFT} {coordinate(y)}H{RIGHT}" for y, _ in upward]
        yield f'<path class="grid" d="{"".join(lines)}M{LEFT} {BOTTOM}H{RIGHT}"/>'
        yield from (text(LEFT - 9, y + 4, label, "tick soft", "end") for y, label in upward)
        yield from (text(x, BOTTOM + 20, label, "tick soft", "middle") for x, label in across)
        yield text((LEFT + RIGHT) / 2, BOTTOM + 42, unit, "soft", "middle")
        yield text(LEFT - 52, TOP - 12, self.measure.title, "soft")

    def lines(self) -> Iterator[str]:
        """Of each strategy the runs, then the band, and the mean on top."""
        for position, (label, found) in enumerate(self.bands.items()):
            colour = _colour(position)
            for one in self.curves[label]:
                path = self._stairs(found.budget, one.at(found.budget))
                yield f'<path fill="none" stroke="{colour}" stroke-width=".8" stroke-opacity=".4" d="{path}"/>'
            there, back = (
                self._stairs(found.budget, found.high),
                self._stairs(found.budget, found.low, backwards=True),
            )
            if there:
                yield f'<path fill="{colour}" fill-opacity=".13" d="{there}L{back[1:]}Z"/>'
        for position, found in enumerate(self.bands.values()):
            path = self._stairs(found.budget, found.mean)
            yield f'<path fill="none" stroke="{_colour(position)}" stroke-width="2.6" d="{path}"/>'

    def labels(self) -> Iterator[str]:
        """At the right end of each line, its name and its final value, kept apart."""
        ends = [
            (self.y(float(found.mean[-1])), _colour(i), f"{label}  {number(float(found.mean[-1]))}")
            for i, (label, found) in enumerate(self.bands.items())
            if np.isfinite(found.mean[-1])
        ]
        ends.sort()
        for place, (y, colour, words) in zip(
            _apart([y for y, _, _ in ends], LINE_GAP, BOTTOM), ends, strict=True
        ):
            line = f"M{RIGHT} {coordinate(y)}L{RIGHT + 14} {coordinate(place)}"
            yield f'<path fill="none" stroke="{colour}" stroke-width="1.2" d="{line}"/>'
            yield f'<circle fill="{colour}" cx="{RIGHT + 18}" cy="{coordinate(place)}" r="4"/>'
            yield text(RIGHT + 28, place + 4, shortened(words, 34), "ink")

    def _stairs(self, budget: Floats, values: Floats, backwards: bool = False) -> str:
        """A step function, from the first value that is known."""
        shown = np.isfinite(values)
        points = [
            (self.x(float(x)), self.y(float(y)))
            for x, y in zip(budget[shown], values[shown], strict=True)
        ]
        if not points:
            return ""
        corners = [points[0]]
        for (_, before), (x, after) in itertools.pairwise(points):
            if after != before:
                corners += [(x, before), (x, after)]
        corners.append(points[-1])
        path = "L".join(
            f"{coordinate(x)} {coordinate(y)}"
            for x, y in (reversed(corners) if backwards else corners)
        )
        return f"M{path}"


def _colour(position: int) -> str:
    return COLOURS[position % len(COLOURS)]


def _apart(places: Sequence[float], gap: float, end: float) -> list[float]:
    """Ascending places, moved as little as it takes downwards, and then upwards, to be a gap apart and before the
    end."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    latest = end
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], latest)
        latest = moved[i] - gap
    return moved
