"""Where everything in the climb goes: trials to places and colours, the winner's line, ticks."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evonas.insight.axis import Measure, bottom, measure_of, round_values, ticks
from evonas.insight.genealogy import ancestors, main_line
from evonas.insight.summary import incumbent, succeeded
from evonas.insight.svg import COLOURS
from evonas.trial import Objective, Trial, TrialState

WIDTH, HEIGHT = 1200, 700
LEFT, RIGHT, TOP, BOTTOM = 76, WIDTH - 28, 96, HEIGHT - 122
FLOOR = BOTTOM - 12
"""The lower end of the vertical axis; above its upper end there is room for a label."""

FAILED = BOTTOM + 15
"""The line on which failed trials are marked."""

COST = ("parameters", "flops", "seconds")
"""Metrics that may colour the dots; the first one that most trials have and that varies is taken."""

MOST_KIN = 150
"""More ancestors than these would hide the winner's line."""


@dataclass(frozen=True)
class Dot:
    """A trial with a fitness, at its place.

    Attributes:
        value: in the measure of the picture, which need not be the objective.
        colour: the step of the colour scale, or None where the cost is unknown.
        clipped: worse than the lower end of the axis, so drawn at the edge.
    """

    trial: Trial
    x: float
    y: float
    value: float
    colour: int | None
    clipped: bool


@dataclass(frozen=True)
class Cost:
    """What colours mean: a metric by rank, with its least, middle and greatest value."""

    name: str
    least: float
    middle: float
    greatest: float
    steps: dict[int, int]


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn, in pixels.

    Attributes:
        dots: by trial id, in order of id; twins among them.
        line: ids from the founder to the winner, empty where nobody has parents.
        kin: ids of the winner's ancestors; empty where they are too many to show.
        best: the dots that were the best so far in the measure of the picture, in order.
        failed: x of every failed trial.
        by_generation: whether x is the generation; else it is the trial's number.
    """

    trials: Sequence[Trial]
    measure: Measure
    dots: dict[int, Dot]
    winner: Dot | None
    line: list[int]
    kin: set[int]
    best: list[Dot]
    failed: list[float]
    cost: Cost | None
    by_generation: bool
    x_ticks: list[tuple[float, str]]
    x_lines: list[float]
    y_ticks: list[tuple[float, str]]


def scene(trials: Sequence[Trial], objective: Objective) -> Scene:
    """Places every trial.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """
    measure = measure_of(trials, objective)
    by_generation = any(t.lineage.parents for t in trials) and any(
        t.lineage.generation for t in trials
    )
    places, end = _places(trials, by_generation)
    scale = (RIGHT - LEFT) / end
    x = [LEFT + place * scale for place in places]
    winner = incumbent(trials)
    line = main_line(trials, winner.id) if winner and by_generation else []
    kin = ancestors(trials, winner.id) if winner and by_generation else set()
    heights = {
        t.id: measure.height(value) for t in trials if (value := measure.value(t)) is not None
    }
    low, high = _span(heights, _kept(trials, heights, [*line, winner.id] if winner else []))
    pixels = (FLOOR - TOP - 34) / (high - low)
    cost = _cost([trial for trial in trials if trial.id in heights])
    dots = {}
    for trial in trials:
        value = measure.value(trial)
        if value is not None:
            y = FLOOR - (heights[trial.id] - low) * pixels
            colour = cost.steps.get(trial.id) if cost is not None and is_feasible(trial) else None
            dots[trial.id] = Dot(
                trial, x[trial.id], min(y, FLOOR + 7), value, colour, clipped=y > FLOOR + 7
            )
    x_ticks, x_lines = _x_axis(int(end), scale, by_generation)
    marks = ticks(measure, low, high, 44 / pixels) if heights else []
    return Scene(
        trials=trials,
        measure=measure,
        dots=dots,
        winner=dots[winner.id] if winner else None,
        line=line,
        kin=kin if len(kin) <= MOST_KIN else set(),
        best=_best(
            measure,
            {id: dot for id, dot in dots.items() if is_feasible(dot.trial) or dot.trial is winner},
        ),
        failed=[x[t.id] for t in trials if is_failed(t)],
        cost=cost,
        by_generation=by_generation,
        x_ticks=x_ticks,
        x_lines=x_lines,
        y_ticks=[(FLOOR - (height - low) * pixels, label) for height, label in marks],
    )


def is_failed(trial: Trial) -> bool:
    """Whether a trial is over and has no fitness."""
    return trial.state is not TrialState.WAITING and succeeded(trial) is None


def is_feasible(trial: Trial) -> bool:
    """Whether a trial satisfies the constraints; those that do not are drawn without colour, and are no records."""
    return trial.fitness is not None and trial.fitness.is_feasible


def _places(trials: Sequence[Trial], by_generation: bool) -> tuple[list[float], float]:
    """The place of each trial in units of the axis, and the axis's end."""
    if not by_generation:
        return [i + 0.5 for i in range(len(trials))], float(max(1, len(trials)))
    sizes = Counter(trial.lineage.generation for trial in trials)
    seen: Counter[int] = Counter()
    places = []
    for trial in trials:
        generation = trial.lineage.generation
        places.append(generation + (seen[generation] + 0.5) / sizes[generation])
        seen[generation] += 1
    return places, float(max(sizes) + 1)


def _kept(trials: Sequence[Trial], heights: dict[int, float], line: list[int]) -> list[float]:
    """Heights that must stay in the picture: the winner's line, and the middle of the founders, where it all began."""
    founders = sorted(heights[t.id] for t in trials if t.id in heights and not t.lineage.generation)
    return [*(heights[i] for i in line if i in heights), *founders[len(founders) // 2 :][:1]]


def _span(heights: dict[int, float], kept: list[float]) -> tuple[float, float]:
    """The ends of the vertical axis; never equal."""
    if not heights:
        return 0.0, 1.0
    values = list(heights.values())
    low, high = bottom(values, kept), max(values)
    if high - low > 1e-12 * max(1.0, abs(high)):
        return low, high
    room = 0.1 if abs(high) < 1000 else 0.1 * abs(high)
    return low - room, high + room


def _cost(trials: Sequence[Trial]) -> Cost | None:
    for name in COST:
        known = {
            trial.id: trial.metrics[name]
            for trial in trials
            if math.isfinite(trial.metrics.get(name, math.nan))
        }
        ordered = sorted(known.values())
        if 2 * len(known) > len(trials) and ordered[0] < ordered[-1]:
            steps = {}
            for trial_id, value in known.items():
                rank = (
                    bisect.bisect_left(ordered, value) + bisect.bisect_right(ordered, value) - 1
                ) / 2
                steps[trial_id] = min(COLOURS - 1, int(rank / len(ordered) * COLOURS))
            return Cost(name, ordered[0], ordered[len(ordered) // 2], ordered[-1], steps)
    return None


def _best(measure: Measure, dots: dict[int, Dot]) -> list[Dot]:
    found: list[Dot] = []
    for dot in dots.values():
        if not found or measure.height(dot.value) > measure.height(found[-1].value):
            found.append(dot)
    return found


def _x_axis(
    end: int, scale: float, by_generation: bool
) -> tuple[list[tuple[float, str]], list[float]]:
    """Labels and grid lines: a label in the middle of its generation, a line where the next one begins."""
    tiers = list(round_values(0, end)) if end > 1 else [[(0.0, "0")]]
    fitting = [tier for tier in tiers if all(value == int(value) for value, _ in tier)]
    steps = [int(tier[1][0] - tier[0][0]) for tier in fitting if len(tier) > 1]
    step = min((step for step in steps if step * scale >= 58), default=max(steps, default=1))
    shown = range(0, end, step)
    shift = 0.5 * scale
    labels = [(LEFT + i * scale + shift, f"{i:,}") for i in shown]
    lines = (
        [LEFT + i * scale for i in shown if i]
        if by_generation and step == 1
        else [at for at, _ in labels]
    )
    return labels, lines
