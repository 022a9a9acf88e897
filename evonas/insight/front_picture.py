"""The front as a picture: every trial is a dot in the space of objectives.

A line joins the trials that no other one beats. It is one SVG without scripts. Upwards is the first
objective, to the right the second. The colour is the third objective, or the generation.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evonas.insight.axis import measure_for
from evonas.insight.front import hypervolumes, pareto_front, turned, values_of
from evonas.insight.labels import Labels
from evonas.insight.laid_axis import LaidAxis, laid
from evonas.insight.layout import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from evonas.insight.legend import SWATCH, swatches
from evonas.insight.svg import COLOURS, centre, coordinate, escape, opening, style, text, text_width
from evonas.insight.words import shortened
from evonas.trial import Objective, Trial
from evonas.words import counted, number

MOST_LABELS = 14


@dataclass(frozen=True)
class _Scene:
    """Everything that is drawn.

    Attributes:
        known: trial id -> its values, for each trial that could be on a front.
        colours: trial id -> step of the colour scale.
        colour_name: what the colours mean.
    """

    objectives: Sequence[Objective]
    x: LaidAxis
    y: LaidAxis
    known: Mapping[int, tuple[float, ...]]
    front: Sequence[Trial]
    colours: Mapping[int, int]
    colour_name: str

    def at(self, trial: int) -> tuple[float, float]:
        """The pixels of a trial."""
        values = self.known[trial]
        x = self.x.place(values[1])
        y = self.y.place(values[0])
        return x, y

    def told(self, trial: int) -> str:
        """The values of a trial: `98.6 %, 12,345`."""
        measures = (self.y.measure, self.x.measure)
        told = []
        for position, value in enumerate(self.known[trial]):
            # Whole numbers are counts, such as parameters.
            if value >= 10 and value == int(value):
                told.append(number(int(value)))
            elif position < 2:
                told.append(measures[position].text(value))
            else:
                told.append(number(value))
        return ", ".join(told)


def front_svg(
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    title: str = "The front",
    dark: bool | None = None,
) -> str:
    """Draws the trials that have succeeded and satisfy the constraints.

    Args:
        trials: trials with ids 0..n-1, in that order.
        objectives: at least two; the first two are the axes.
        dark: True or False for a dark or a light picture; None follows the reader's system.

    Returns:
        An SVG document of 1200 by 700 units, the same for the same arguments.
    """
    view = _scene(trials, objectives)
    told = _subtitle(trials, objectives, view)
    parts = [
        opening("front", WIDTH, HEIGHT),
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(told)}</desc>",
        style("front", dark),
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(LEFT - 52, 38, shortened(title, 70), "title ink"),
        text(LEFT - 52, 61, shortened(told, 150), "sub soft"),
    ]
    if view is None:
        words = "No trial has succeeded within the constraints yet."
        middle = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
        parts.append(text(*middle, words, "big soft", "middle"))
    else:
        # What comes later covers what came before: the front lies on top of the other dots.
        parts += _axes(view)
        parts += _dots(view)
        parts += _staircase(view)
        parts += _front(view)
        parts += _legend(view)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _scene(trials: Sequence[Trial], objectives: Sequence[Objective]) -> _Scene | None:
    """Places every trial; None without any that could be on a front."""
    shown = [trial for trial in trials if turned(trial, objectives) is not None]
    if not shown:
        return None
    known = {trial.id: tuple(values_of(trial, objectives)) for trial in shown}
    front = pareto_front(trials, objectives)
    # Less to the right is better to the left. A margin keeps dots and labels off the edges.
    across = (LEFT + 12, RIGHT - 24)
    if objectives[1].direction == "min":
        across = (RIGHT - 12, LEFT + 24)
    upwards = (BOTTOM - 12, TOP + 34)
    colours, colour_name = _colours(shown, objectives, known)
    return _Scene(
        objectives=objectives,
        x=_axis(1, objectives, known, front, across),
        y=_axis(0, objectives, known, front, upwards),
        known=known,
        front=front,
        colours=colours,
        colour_name=colour_name,
    )


def _axis(
    position: int,
    objectives: Sequence[Objective],
    known: Mapping[int, tuple[float, ...]],
    front: Sequence[Trial],
    ends: tuple[float, float],
) -> LaidAxis:
    """The axis of one objective, from the worst value that is no outlier to the best.

    Args:
        position: position of the objective.
        ends: pixels of the worst and of the best value.
    """
    values = [found[position] for found in known.values()]
    measure = measure_for(values, objectives[position])
    # No member of the front is an outlier, however bad it is in this objective.
    kept = [known[trial.id][position] for trial in front]
    return laid(measure, values, kept, ends)


def _colours(
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    known: Mapping[int, tuple[float, ...]],
) -> tuple[dict[int, int], str]:
    """The step of the colour scale of each trial, by rank, and what the colours mean."""
    if len(objectives) > 2:
        name = objectives[2].name
        numbers = {trial_id: values[2] for trial_id, values in known.items()}
    else:
        name = "generation"
        numbers = {trial.id: float(trial.lineage.generation) for trial in trials}
    ordered = sorted(numbers.values())
    steps = {}
    for trial_id, value in numbers.items():
        rank = bisect.bisect_left(ordered, value)
        share = rank / len(ordered)
        steps[trial_id] = min(COLOURS - 1, int(share * COLOURS))
    return steps, name


def _subtitle(trials: Sequence[Trial], objectives: Sequence[Objective], view: _Scene | None) -> str:
    """How many trials there are, and what the front is worth."""
    trained = 0
    violating = 0
    for trial in trials:
        trained += trial.twin_of is None
        violating += trial.fitness is not None and not trial.fitness.is_feasible
    parts = [counted(trained, "trial")]
    if view is not None:
        volume = hypervolumes(trials, objectives)[-1]
        parts.append(f"{len(view.front):,} on the front")
        parts.append(f"hypervolume {number(volume)}")
    if violating:
        parts.append(f"{violating:,} beyond the constraints, not drawn")
    return " \u00b7 ".join(parts)


def _axes(view: _Scene) -> Iterator[str]:
    """The grid, its labels, and what the axes mean."""
    across = view.x.ticks(64)
    upwards = view.y.ticks(44)
    grid = ""
    for x, _ in across:
        grid += f"M{coordinate(x)} {TOP}V{BOTTOM}"
    for y, _ in upwards:
        grid += f"M{LEFT} {coordinate(y)}H{RIGHT}"
    grid += f"M{LEFT} {BOTTOM}H{RIGHT}"
    yield f'<path class="grid" d="{grid}"/>'
    for x, label in across:
        yield text(x, BOTTOM + 20, label, "tick soft", "middle")
    for y, label in upwards:
        yield text(LEFT - 9, y + 4, label, "tick soft", "end")
    middle = (LEFT + RIGHT) / 2
    yield text(middle, BOTTOM + 44, _across_in_words(view), "soft", "middle")
    yield text(LEFT - 52, TOP - 9, view.y.measure.title, "soft")


def _across_in_words(view: _Scene) -> str:
    """What the horizontal axis means, and where it is better."""
    objective = view.objectives[1]
    words = "better to the right"
    if objective.direction == "min":
        words = "better to the left"
    if view.x.measure.kind == "log":
        words += ", logarithmic"
    return f"{objective.name} ({words})"


def _dots(view: _Scene) -> Iterator[str]:
    """All trials but the members of the front, pale."""
    members = {trial.id for trial in view.front}
    yield '<g opacity="0.48">'
    for trial_id in view.known:
        if trial_id not in members:
            yield _circle(view, trial_id, 4.2)
    yield "</g>"


def _circle(view: _Scene, trial_id: int, radius: float, css: str = "") -> str:
    """A trial as a circle, with a tooltip."""
    x, y = view.at(trial_id)
    words = escape(f"trial {trial_id}: {view.told(trial_id)}")
    colour = view.colours[trial_id]
    shape = f'class="dot c{colour}{css}" {centre(x, y)} r="{radius}"'
    return f"<circle {shape}><title>{words}</title></circle>"


def _staircase(view: _Scene) -> Iterator[str]:
    """The border of the area that the front dominates."""
    # With more than two objectives there is no such line.
    if len(view.objectives) > 2:
        return
    places = [view.at(trial.id) for trial in view.front]
    # From the bottom up: SVG counts pixels downwards.
    places.sort(key=lambda at: -at[1])
    path = ""
    for x, y in places:
        right = coordinate(x)
        up = coordinate(y)
        path += f"H{right}V{up}" if path else f"M{right} {BOTTOM}V{up}"
    path += f"H{coordinate(view.x.start)}"
    yield f'<path class="halo" d="{path}"/><path class="line" d="{path}"/>'


def _front(view: _Scene) -> Iterator[str]:
    """The members of the front, each with a ring, and labels for some of them."""
    places = {trial.id: view.at(trial.id) for trial in view.front}
    for trial_id, (x, y) in places.items():
        yield _circle(view, trial_id, 6.0, " strong")
        yield f'<circle class="ring" {centre(x, y)} r="8"/>'
    labels = Labels(LEFT + 3, TOP - 4, RIGHT + 24, BOTTOM)
    # No label may cover a member, and a member is larger than one point.
    for x, y in places.values():
        for dx in (-6, 0, 6):
            labels.keep_clear([(x + dx, y - 3), (x + dx, y + 3)])
    for trial_id, (x, y) in places.items():
        if len(labels.placed) == MOST_LABELS:
            break
        words = f"{trial_id}: {view.told(trial_id)}"
        width = text_width(words, 11.5)
        labels.place(x, y, words, width, 11, 14.0, must=False)
    # Labels come last, so that no dot covers one of them.
    for label in labels.placed:
        yield text(label.x, label.y, label.words, "label", label.anchor)


def _legend(view: _Scene) -> Iterator[str]:
    """What the signs and colours mean."""
    y = HEIGHT - 24
    x = LEFT - 40
    yield f'<circle class="dot c4" opacity="0.48" cx="{x}" cy="{y - 4}" r="4"/>'
    yield text(x + 14, y, "a trial", "soft")
    yield f'<circle class="ring" cx="{x + 90}" cy="{y - 4}" r="7"/>'
    words = (
        "on the front: no trial is as good in all objectives and better in one;"
        " its number, and its values"
    )
    yield text(x + 104, y, words, "soft")
    yield from swatches(RIGHT - COLOURS * SWATCH, f"{view.colour_name}, by rank")
