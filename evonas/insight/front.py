"""The front: trials that no other one beats in every objective, and its hypervolume."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evonas.insight.summary import succeeded
from evonas.trial import Objective, Trial

Point = tuple[float, ...]
"""A value of each objective, turned so that less is better."""


def turned(trial: Trial, objectives: Sequence[Objective]) -> Point | None:
    """A trial's values of all objectives, turned so that less is better.

    None if it failed, violates a constraint, or misses a value.
    """
    fitness = succeeded(trial)
    if fitness is None or not fitness.is_feasible:
        return None
    found = []
    for objective in objectives:
        value = objective.value(trial.metrics)
        if value is None:
            return None
        if objective.direction == "max":
            value = -value
        found.append(value)
    return tuple(found)


def turned_back(values: Sequence[float], objectives: Sequence[Objective]) -> dict[str, float]:
    """Turned values as the user knows them, by the objectives' names."""
    found = {}
    for objective, value in zip(objectives, values, strict=True):
        if objective.direction == "max":
            value = -value
        found[objective.name] = value
    return found


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one is at least as good in every objective, and better in one; less is better."""
    return _is_as_good(one, other) and tuple(one) != tuple(other)


def _is_as_good(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one is at least as good in every objective: it dominates the other or equals it."""
    return all(a <= b for a, b in zip(one, other, strict=True))


def pareto_front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The trials that no other one dominates, the best by the first objective first.

    Of equal trials the oldest is taken. A trial that failed or violates a constraint is not on it.
    """
    candidates = []
    for trial in trials:
        values = turned(trial, objectives)
        if values is not None:
            candidates.append((values, trial.id, trial))
    # In this order, a trial that dominates another one or equals it comes before it.
    candidates.sort(key=lambda item: item[:2])
    found: list[Trial] = []
    members: list[Point] = []
    for values, _, trial in candidates:
        if any(_is_as_good(member, values) for member in members):
            continue
        members.append(values)
        found.append(trial)
    return found


@dataclass(frozen=True)
class Box:
    """The part of the space of objectives in which a hypervolume is measured; less is better.

    Attributes:
        ideal: best value of each objective.
        reference: worst value of each objective; anything beyond counts for nothing.
    """

    ideal: Point
    reference: Point

    def volume(self, front: Sequence[Point]) -> float:
        """The share of the box that these points dominate (Zitzler and Thiele, 1998).

        Returns:
            A number from 0 to 1.
        """
        # Imported here because most runs have one objective, and no hypervolume.
        import moocore

        inside = []
        for point in front:
            # A point on the border dominates nothing of the box, like one beyond it.
            if all(value < worst for value, worst in zip(point, self.reference, strict=True)):
                inside.append(self._scaled(point))
        if not inside:
            return 0.0
        corner = [1.0] * len(self.ideal)
        volume = moocore.hypervolume(inside, ref=corner)
        return float(volume)

    def _scaled(self, point: Point) -> list[float]:
        """A point in units of the box: 0 for the best value, 1 for the worst."""
        scaled = []
        for value, best, worst in zip(point, self.ideal, self.reference, strict=True):
            width = worst - best
            share = (value - best) / width
            # A value that is better than the ideal is as good as the ideal.
            scaled.append(max(0.0, share))
        return scaled


def box_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Box | None:
    """From the best to the worst value of each objective, or None.

    Only trials count that could be on a front. None if there are none.
    """
    return box_around(turned(trial, objectives) for trial in trials)


def box_around(points: Iterable[Point | None]) -> Box | None:
    """The box of these turned values, or None if there are none."""
    known = [values for values in points if values is not None]
    if not known:
        return None
    ideal = []
    reference = []
    for column in zip(*known, strict=True):
        best = min(column)
        worst = max(column)
        # An objective with one value in all trials gets a width of 1: a box needs a volume.
        if not worst > best:
            worst = best + 1.0
        ideal.append(best)
        reference.append(worst)
    return Box(tuple(ideal), tuple(reference))


def hypervolumes(
    trials: Sequence[Trial], objectives: Sequence[Objective], box: Box | None = None
) -> list[float]:
    """The hypervolume after each trial, in order: the share of the box that is dominated so far.

    Args:
        box: box of the measurement; that of these trials by default. Runs can be compared only by
            hypervolumes in one common box.
    """
    points = []
    for trial in trials:
        points.append(turned(trial, objectives))
    if box is None:
        box = box_around(points)
    return hypervolumes_in(box, points)


def hypervolumes_in(box: Box | None, points: Iterable[Point | None]) -> list[float]:
    """The hypervolume after each of these turned values; always 0 without a box."""
    series: list[float] = []
    front: list[Point] = []
    volume = 0.0
    for values in points:
        # Only a new member of the front changes the volume, which is slow to compute.
        if box is not None and values is not None:
            is_member = not any(_is_as_good(one, values) for one in front)
            if is_member:
                front = [one for one in front if not dominates(values, one)]
                front.append(values)
                volume = box.volume(front)
        series.append(volume)
    return series


def summary_of_front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> dict[str, Any]:
    """What `evonas show --json` says of several objectives: plain JSON values only.

    Returns:
        `objectives` (name and direction); `front` (trial id and value of each objective, the best
        by the first one first); `ideal` and `reference` (by objective, None without a front);
        `hypervolume` (after each trial).
    """
    members = []
    for trial in pareto_front(trials, objectives):
        row: dict[str, Any] = {"trial": trial.id}
        for objective, value in zip(objectives, values_of(trial, objectives), strict=True):
            row[objective.name] = value
        members.append(row)
    box = box_of(trials, objectives)
    ideal = None
    reference = None
    if box is not None:
        ideal = turned_back(box.ideal, objectives)
        reference = turned_back(box.reference, objectives)
    return {
        "objectives": [{"name": one.name, "direction": one.direction} for one in objectives],
        "front": members,
        "ideal": ideal,
        "reference": reference,
        "hypervolume": hypervolumes(trials, objectives, box),
    }


def values_of(trial: Trial, objectives: Sequence[Objective]) -> list[float]:
    """A trial's values as they are; NaN if one is not known."""
    values = []
    for objective in objectives:
        value = objective.value(trial.metrics)
        values.append(math.nan if value is None else value)
    return values
