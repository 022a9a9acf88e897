"""Where everything in the climb goes: trials to places and colours, the winner's line, ticks."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evonas.insight.axis import Measure, Tick, bottom, measure_of, round_values, ticks
from evonas.insight.genealogy import ancestors, main_line
from evonas.insight.summary import incumbent, succeeded
from evonas.insight.svg import COLOURS
from evonas.trial import Objective, Trial, TrialState

WIDTH, HEIGHT = 1200, 700
LEFT, RIGHT, TOP, BOTTOM = 76, WIDTH - 28, 96, HEIGHT - 122
FLOOR = BOTTOM - 12
"""Lower end of the vertical axis; above its upper end there is room for a label."""

LOWEST = FLOOR + 7
"""Pixel of trials that are worse than the lower end of the axis."""

FAILED = BOTTOM + 15
"""The line on which failed trials are marked."""

COST = ("parameters", "flops", "seconds")
"""Metrics that may colour the dots: the first one that most trials have and that varies."""

MOST_KIN = 150
"""More ancestors than these would hide the winner's line."""


@dataclass(frozen=True)
class Dot:
    """A trial with a fitness, at its place.

    Attributes:
        value: value in the measure of the picture, which need not be the objective.
        colour: step of the colour scale, or None if the cost is unknown.
        clipped: whether the trial is worse than the lower end of the axis, and drawn at the edge.
    """

    trial: Trial
    x: float
    y: float
    value: float
    colour: int | None
    clipped: bool


@dataclass(frozen=True)
class Cost:
    """What colours mean: a metric by rank, with its least, middle and greatest value.

    Attributes:
        steps: trial id -> step of the colour scale.
    """

    name: str
    least: float
    middle: float
    greatest: float
    steps: dict[int, int]


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn, in pixels.

    Attributes:
        dots: dots by trial id, in order of id, duplicates among them.
        line: ids from the founder to the winner; empty if no trial has parents.
        kin: ids of the winner's ancestors; empty if they are too many to show.
        best: dots that were the best so far in the measure of the picture, in order.
        failed: x of every failed trial.
        by_generation: whether x is the generation; otherwise it is the trial's number.
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
    x_ticks: list[Tick]
    x_lines: list[float]
    y_ticks: list[Tick]


def scene(trials: Sequence[Trial], objective: Objective) -> Scene:
    """Places every trial.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """
    measure = measure_of(trials, objective)
    by_generation = _has_generations(trials)
    places, end = _places(trials, by_generation)
    scale = (RIGHT - LEFT) / end
    x = [LEFT + place * scale for place in places]
    x_ticks, x_lines = _x_axis(int(end), scale, by_generation)
    winner = incumbent(trials)
    line, kin = _family(trials, winner, by_generation)
    values = _values(trials, measure)
    heights = {trial_id: measure.height(value) for trial_id, value in values.items()}
    low, high = _span(heights, _kept(trials, heights, winner, line))
    pixels = (FLOOR - TOP - 34) / (high - low)
    cost = _cost([trial for trial in trials if trial.id in heights])
    dots: dict[int, Dot] = {}
    for trial_id, value in values.items():
        y = FLOOR - (heights[trial_id] - low) * pixels
        dots[trial_id] = _dot(trials[trial_id], x[trial_id], y, value, cost)
    # Without any dot there is nothing to measure.
    y_ticks = _y_axis(measure, low, high, pixels) if dots else []
    return Scene(
        trials=trials,
        measure=measure,
        dots=dots,
        winner=None if winner is None else dots[winner.id],
        line=line,
        kin=kin if len(kin) <= MOST_KIN else set(),
        best=_best(measure, dots.values(), winner),
        failed=[x[trial.id] for trial in trials if is_failed(trial)],
        cost=cost,
        by_generation=by_generation,
        x_ticks=x_ticks,
        x_lines=x_lines,
        y_ticks=y_ticks,
    )


def is_failed(trial: Trial) -> bool:
    """Whether a trial is over and has no fitness."""
    if trial.state is TrialState.WAITING:
        return False
    return succeeded(trial) is None


def is_feasible(trial: Trial) -> bool:
    """Whether a trial satisfies the constraints; others have no colour and are no records."""
    fitness = trial.fitness
    if fitness is None:
        return False
    return fitness.is_feasible


def _has_generations(trials: Sequence[Trial]) -> bool:
    """Whether trials have parents, and generations after the first one."""
    has_parents = any(trial.lineage.parents for trial in trials)
    if not has_parents:
        return False
    return any(trial.lineage.generation for trial in trials)


def _places(trials: Sequence[Trial], by_generation: bool) -> tuple[list[float], float]:
    """The place of each trial in units of the axis, and the axis's end."""
    if not by_generation:
        places = [i + 0.5 for i in range(len(trials))]
        end = max(1, len(trials))
        return places, float(end)
    sizes = Counter(trial.lineage.generation for trial in trials)
    # Within its column, a generation is spread evenly in order of id.
    seen: Counter[int] = Counter()
    places = []
    for trial in trials:
        generation = trial.lineage.generation
        share = (seen[generation] + 0.5) / sizes[generation]
        places.append(generation + share)
        seen[generation] += 1
    end = max(sizes) + 1
    return places, float(end)


def _family(
    trials: Sequence[Trial], winner: Trial | None, by_generation: bool
) -> tuple[list[int], set[int]]:
    """The winner's line of main parents, and all of its ancestors."""
    if winner is None or not by_generation:
        return [], set()
    line = main_line(trials, winner.id)
    kin = ancestors(trials, winner.id)
    return line, kin


def _values(trials: Sequence[Trial], measure: Measure) -> dict[int, float]:
    """The value of each trial that is drawn as a dot, by id."""
    values = {}
    for trial in trials:
        value = measure.value(trial)
        if value is not None:
            values[trial.id] = value
    return values


def _kept(
    trials: Sequence[Trial],
    heights: Mapping[int, float],
    winner: Trial | None,
    line: Sequence[int],
) -> list[float]:
    """Heights that must stay in the picture: the winner, its line, and one of the founders."""
    kept = [heights[i] for i in line if i in heights]
    if winner is not None:
        kept.append(heights[winner.id])
    founders = []
    for trial in trials:
        if trial.id in heights and not trial.lineage.generation:
            founders.append(heights[trial.id])
    # The middle founder shows where it all began. The worst one may be far below all others.
    if founders:
        founders.sort()
        kept.append(founders[len(founders) // 2])
    return kept


def _span(heights: Mapping[int, float], kept: Sequence[float]) -> tuple[float, float]:
    """The ends of the vertical axis; never equal."""
    if not heights:
        return 0.0, 1.0
    values = list(heights.values())
    low = bottom(values, kept)
    high = max(values)
    size = abs(high)
    # If all heights are equal, or nearly, some room around them makes an axis.
    if high - low > 1e-12 * max(1.0, size):
        return low, high
    room = 0.1 if size < 1000 else 0.1 * size
    return low - room, high + room


def _dot(trial: Trial, x: float, y: float, value: float, cost: Cost | None) -> Dot:
    """A trial at its place, or at the edge if that is below the picture."""
    colour = None
    if cost is not None and is_feasible(trial):
        colour = cost.steps.get(trial.id)
    return Dot(
        trial=trial,
        x=x,
        y=min(y, LOWEST),
        value=value,
        colour=colour,
        clipped=y > LOWEST,
    )


def _cost(trials: Sequence[Trial]) -> Cost | None:
    """What colours the dots; None if no metric is known of most trials and varies."""
    for name in COST:
        known = {}
        for trial in trials:
            value = trial.metrics.get(name, math.nan)
            if math.isfinite(value):
                known[trial.id] = value
        ordered = sorted(known.values())
        is_of_most = 2 * len(known) > len(trials)
        if is_of_most and ordered[0] < ordered[-1]:
            middle = len(ordered) // 2
            return Cost(
                name=name,
                least=ordered[0],
                middle=ordered[middle],
                greatest=ordered[-1],
                steps=_steps(known, ordered),
            )
    return None


def _steps(known: Mapping[int, float], ordered: Sequence[float]) -> dict[int, int]:
    """The step of the colour scale of each trial, by rank."""
    steps = {}
    for trial_id, value in known.items():
        # Equal values share the middle of their ranks, and so one colour.
        first = bisect.bisect_left(ordered, value)
        after = bisect.bisect_right(ordered, value)
        rank = (first + after - 1) / 2
        share = rank / len(ordered)
        steps[trial_id] = min(COLOURS - 1, int(share * COLOURS))
    return steps


def _best(measure: Measure, dots: Iterable[Dot], winner: Trial | None) -> list[Dot]:
    """The dots that were the best so far, in order."""
    found: list[Dot] = []
    best = -math.inf
    for dot in dots:
        # A trial beyond the constraints is no record, unless it has won for want of a better one.
        if not is_feasible(dot.trial) and dot.trial is not winner:
            continue
        height = measure.height(dot.value)
        if height > best:
            best = height
            found.append(dot)
    return found


def _y_axis(measure: Measure, low: float, high: float, pixels: float) -> list[Tick]:
    """Pixel and label of each tick of the vertical axis, at least 44 pixels apart."""
    found = []
    for height, label in ticks(measure, low, high, 44 / pixels):
        y = FLOOR - (height - low) * pixels
        found.append((y, label))
    return found


def _x_axis(end: int, scale: float, by_generation: bool) -> tuple[list[Tick], list[float]]:
    """Labels and grid lines of the horizontal axis."""
    step = _x_step(end, scale)
    shift = 0.5 * scale
    labels = []
    edges = []
    for i in range(0, end, step):
        edge = LEFT + i * scale
        # A label stands in the middle of its generation.
        labels.append((edge + shift, f"{i:,}"))
        if i:
            edges.append(edge)
    # If each generation has a label, a line shows where the next one begins.
    if by_generation and step == 1:
        return labels, edges
    middles = [at for at, _ in labels]
    return labels, middles


def _x_step(end: int, scale: float) -> int:
    """The smallest round step whose labels are far enough apart."""
    if end <= 1:
        return 1
    steps = []
    for tier in round_values(0, end):
        # One value has no step, and generations have no fractions.
        if len(tier) > 1 and all(value == int(value) for value, _ in tier):
            first = tier[0][0]
            second = tier[1][0]
            steps.append(int(second - first))
    widest = max(steps, default=1)
    wide = [step for step in steps if step * scale >= 58]
    return min(wide, default=widest)
