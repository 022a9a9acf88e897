"""The front as a picture: every trial a dot in the space of objectives, those that no other one beats joined by a line.

One SVG without scripts. Upwards the first objective, to the right the second, in colour the third or the generation.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evonas.insight.axis import Measure, bottom, measure_for, ticks
from evonas.insight.front import hypervolumes, pareto_front, turned, values_of
from evonas.insight.labels import Labels
from evonas.insight.layout import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from evonas.insight.svg import COLOURS, coordinate, escape, style, text, text_width
from evonas.insight.words import amount, counted, number, shortened
from evonas.trial import Objective, Trial

MOST_LABELS = 14


@dataclass(frozen=True)
class _Axis:
    """A measure between two heights, laid over pixels.

    Attributes:
        start, end: pixels of the worst and of the best height.
    """

    measure: Measure
    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """In pixels; what is worse than the axis's end is just beyond it."""
        share = (self.measure.height(value) - self.low) / (self.high - self.low)
        return self.start + max(share, -0.012) * (self.end - self.start)

    def ticks(self, gap: float) -> list[tuple[float, str]]:
        heights = ticks(
            self.measure,
            self.low,
            self.high,
            gap * (self.high - self.low) / abs(self.end - self.start),
        )
        pixels = (self.end - self.start) / (self.high - self.low)
        return [(self.start + (height - self.low) * pixels, label) for height, label in heights]


@dataclass(frozen=True)
class _Scene:
    trials: Sequence[Trial]
    objectives: Sequence[Objective]
    x: _Axis
    y: _Axis
    known: dict[int, tuple[float, ...]]
    front: list[Trial]
    colours: dict[int, int]
    colour_name: str

    def at(self, trial: int) -> tuple[float, float]:
        return self.x.place(self.known[trial][1]), self.y.place(self.known[trial][0])

    def told(self, trial: int) -> str:
        """`98.6 %, 12.3k`"""
        axes = (self.y.measure, self.x.measure)
        told = [
            measure.text(value) for measure, value in zip(axes, self.known[trial], strict=False)
        ]
        told += [number(value) for value in self.known[trial][2:]]
        whole = zip(self.known[trial], told, strict=True)  # counts, such as parameters
        return ", ".join(
            amount(value) if value >= 10 and value == int(value) else words
            for value, words in whole
        )


def front_svg(
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    title: str = "The front",
    dark: bool | None = None,
) -> str:
    """Draws the trials that have succeeded and satisfy the constraints.

    Args:
        trials: with ids 0..n-1, in that order.
        objectives: at least two; the first two are the axes.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1200 by 700 units, the same for the same arguments.
    """
    view = _scene(trials, objectives)
    told = _subtitle(trials, objectives, view)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="front" role="img" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width:100%;height:auto">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(told)}</desc>",
        style("front", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, shortened(told, 150), "sub soft"),
    ]
    if view is None:
        words = "No trial has succeeded within the constraints yet."
        parts.append(text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, words, "big soft", "middle"))
    else:
        parts += [*_axes(view), *_dots(view), *_staircase(view), *_front(view), *_legend(view)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _scene(trials: Sequence[Trial], objectives: Sequence[Objective]) -> _Scene | None:
    known = {
        trial.id: tuple(values_of(trial, objectives))
        for trial in trials
        if turned(trial, objectives) is not None
    }
    front = pareto_front(trials, objectives)
    if not front:
        return None
    ids = [trial.id for trial in front]
    y = _axis([values[0] for values in known.values()], [known[id][0] for id in ids], objectives[0])
    x = _axis([values[1] for values in known.values()], [known[id][1] for id in ids], objectives[1])
    leftmost, rightmost = (
        (RIGHT - 12, LEFT + 24) if objectives[1].direction == "min" else (LEFT + 12, RIGHT - 24)
    )
    across = _Axis(x.measure, x.low, x.high, leftmost, rightmost)
    upwards = _Axis(y.measure, y.low, y.high, BOTTOM - 12, TOP + 34)
    colours, name = _colours([trial for trial in trials if trial.id in known], objectives, known)
    return _Scene(trials, objectives, across, upwards, known, front, colours, name)


def _axis(values: Sequence[float], kept: Sequence[float], objective: Objective) -> _Axis:
    """Without its pixels: from the worst value that is no outlier to the best."""
    measure = measure_for(values, objective)
    heights = [measure.height(value) for value in values]
    low, high = bottom(heights, [measure.height(value) for value in kept]), max(heights)
    if not high - low > 1e-12 * max(1.0, abs(high)):
        room = 0.1 if abs(high) < 1000 else 0.1 * abs(high)
        low, high = low - room, high + room
    return _Axis(measure, low, high, 0.0, 1.0)


def _colours(
    trials: Sequence[Trial], objectives: Sequence[Objective], known: dict[int, tuple[float, ...]]
) -> tuple[dict[int, int], str]:
    """The step of the colour scale of each trial, by rank, and what it means."""
    if len(objectives) > 2:
        name, numbers = objectives[2].name, {trial.id: known[trial.id][2] for trial in trials}
    else:
        name, numbers = (
            "generation",
            {trial.id: float(trial.lineage.generation) for trial in trials},
        )
    ordered = sorted(numbers.values())
    places = {
        id: bisect.bisect_left(ordered, value) / len(ordered) for id, value in numbers.items()
    }
    return {id: min(COLOURS - 1, int(place * COLOURS)) for id, place in places.items()}, name


def _subtitle(trials: Sequence[Trial], objectives: Sequence[Objective], view: _Scene | None) -> str:
    parts = [counted(sum(trial.twin_of is None for trial in trials), "trial")]
    if view is not None:
        volume = hypervolumes(trials, objectives)[-1]
        parts += [f"{len(view.front)} on the front", f"hypervolume {volume:.3f}"]
    violating = sum(trial.fitness is not None and not trial.fitness.is_feasible for trial in trials)
    parts += [f"{violating:,} beyond the constraints, not drawn"] if violating else []
    return " \u00b7 ".join(parts)


def _axes(view: _Scene) -> Iterator[str]:
    across, upwards = view.x.ticks(64), view.y.ticks(44)
    lines = [f"M{coordinate(x)} {TOP}V{BOTTOM}" for x, _ in across]
    lines += [f"M{LEFT} {coordinate(y)}H{RIGHT}" for y, _ in upwards]
    yield f'<path class="grid" d="{"".join(lines)}M{LEFT} {BOTTOM}H{RIGHT}"/>'
    yield from (text(x, BOTTOM + 20, label, "tick soft", "middle") for x, label in across)
    yield from (text(LEFT - 9, y + 4, label, "tick soft", "end") for y, label in upwards)
    better = "left" if view.objectives[1].direction == "min" else "right"
    logarithmic = ", logarithmic" if view.x.measure.kind == "log" else ""
    words = f"{view.objectives[1].name} (better to the {better}{logarithmic})"
    yield text((LEFT + RIGHT) / 2, BOTTOM + 44, words, "soft", "middle")
    yield text(LEFT - 52, TOP - 9, view.y.measure.title, "soft")


def _dots(view: _Scene) -> Iterator[str]:
    members = {trial.id for trial in view.front}
    yield '<g opacity="0.48">'
    yield from (_circle(view, id, 4.2) for id in view.known if id not in members)
    yield "</g>"


def _circle(view: _Scene, id: int, radius: float, css: str = "") -> str:
    x, y = map(coordinate, view.at(id))
    words = escape(f"trial {id}: {view.told(id)}")
    shape = f"dot c{view.colours[id]}{css}"
    return f'<circle class="{shape}" cx="{x}" cy="{y}" r="{radius}"><title>{words}</title></circle>'


def _staircase(view: _Scene) -> Iterator[str]:
    """The border of what the front dominates; with more than two objectives there is no such line."""
    if len(view.objectives) > 2:
        return
    first, *others = sorted((view.at(trial.id) for trial in view.front), key=lambda at: -at[1])
    steps = "".join(f"H{coordinate(x)}V{coordinate(y)}" for x, y in others)
    path = (
        f"M{coordinate(first[0])} {BOTTOM}V{coordinate(first[1])}{steps}H{coordinate(view.x.start)}"
    )
    yield f'<path class="halo" d="{path}"/><path class="line" d="{path}"/>'


def _front(view: _Scene) -> Iterator[str]:
    labels = Labels(LEFT + 3, TOP - 4, RIGHT + 24, BOTTOM)
    places = {trial.id: view.at(trial.id) for trial in view.front}
    labels.keep_clear(
        (x + dx, y + dy) for x, y in places.values() for dx in (-6, 0, 6) for dy in (-3, 3)
    )
    for id, (x, y) in places.items():
        yield _circle(view, id, 6.0, " strong")
        yield f'<circle class="ring" cx="{coordinate(x)}" cy="{coordinate(y)}" r="8"/>'
    for id, (x, y) in places.items():
        words = f"{id}: {view.told(id)}"
        if len(labels.placed) < MOST_LABELS:
            labels.place(x, y, words, text_width(words, 11.5), 11, 14.0, must=False)
    yield from (
        text(label.x, label.y, label.words, "label", label.anchor) for label in labels.placed
    )


def _legend(view: _Scene) -> Iterator[str]:
    y, x = HEIGHT - 24, LEFT - 40
    yield f'<circle class="dot c4" opacity="0.48" cx="{x}" cy="{y - 4}" r="4"/>'
    yield text(x + 14, y, "a trial", "soft")
    yield f'<circle class="ring" cx="{x + 90}" cy="{y - 4}" r="7"/>'
    words = "on the front: no trial is as good in all objectives and better in one; its number, and its values"
    yield text(x + 104, y, words, "soft")
    swatch, start, top = 15, RIGHT - COLOURS * 15, 42
    yield text(start, top - 8, f"{view.colour_name}, by rank", "soft")
    for i in range(COLOURS):
        yield f'<rect fill="currentColor" class="c{i}" x="{start + i * swatch}" y="{top}" width="{swatch}" height="9"/>'
