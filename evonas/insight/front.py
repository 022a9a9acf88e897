"""The front: trials that no other one beats in every objective, and how much of the space of objectives they rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evonas.insight.summary import succeeded
from evonas.trial import Objective, Trial


def turned(trial: Trial, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """A trial's values of all objectives, turned so that less is better.

    None where it failed, violates a constraint, or one of them is not known.
    """
    fitness = succeeded(trial)
    if fitness is None or not fitness.is_feasible:
        return None
    values = [objective.value(trial.metrics) for objective in objectives]
    pairs = zip(objectives, values, strict=True)
    found = tuple(
        -value if one.direction == "max" else value for one, value in pairs if value is not None
    )
    return found if len(found) == len(objectives) else None


def turned_back(values: Sequence[float], objectives: Sequence[Objective]) -> dict[str, float]:
    """Such values as the user knows them, by the objectives' names."""
    pairs = zip(objectives, values, strict=True)
    return {one.name: -value if one.direction == "max" else value for one, value in pairs}


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one is at least as good in every objective, and better in one; less is better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def pareto_front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The trials that no other one dominates, the best by the first objective first.

    Of equal ones it is the oldest. What failed or violates a constraint is not among them.
    """
    known = {
        trial.id: values for trial in trials if (values := turned(trial, objectives)) is not None
    }
    found: list[Trial] = []
    for trial in sorted(
        (trial for trial in trials if trial.id in known), key=lambda t: (known[t.id], t.id)
    ):
        values = known[
            trial.id
        ]  # in this order, whoever dominates it or equals it is among those before it
        if not any(dominates(known[one.id], values) or known[one.id] == values for one in found):
            found.append(trial)
    return found


@dataclass(frozen=True)
class Box:
    """The part of the space of objectives that a hypervolume is measured in; less is better in all.

    Attributes:
        ideal: the best values.
        reference: the worst ones; what is beyond counts for nothing.
    """

    ideal: tuple[float, ...]
    reference: tuple[float, ...]

    def volume(self, front: Sequence[tuple[float, ...]]) -> float:
        """The share of the box that is dominated by any of these points, from 0 to 1 (Zitzler and Thiele, 1998)."""
        import moocore

        spans = [worst - best for best, worst in zip(self.ideal, self.reference, strict=True)]
        inside = [
            [
                max(0.0, (value - best) / span)
                for value, best, span in zip(point, self.ideal, spans, strict=True)
            ]
            for point in front
            if all(value < worst for value, worst in zip(point, self.reference, strict=True))
        ]
        return float(moocore.hypervolume(inside, ref=[1.0] * len(spans))) if inside else 0.0


def box_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Box | None:
    """From the best to the worst value of each objective among all trials that could be on a front; None where there
    are none. An objective that has one value in all of them gets a width of 1."""
    return box_around(turned(trial, objectives) for trial in trials)


def box_around(points: Iterable[tuple[float, ...] | None]) -> Box | None:
    """The same from turned values."""
    known = [values for values in points if values is not None]
    if not known:
        return None
    ideal, worst = (tuple(map(end, zip(*known, strict=True))) for end in (min, max))
    return Box(
        ideal,
        tuple(last if last > best else best + 1.0 for best, last in zip(ideal, worst, strict=True)),
    )


def hypervolumes(
    trials: Sequence[Trial], objectives: Sequence[Objective], box: Box | None = None
) -> list[float]:
    """The hypervolume after each trial, in order: the share of the box that those until then dominate.

    Args:
        box: of the measurement; that of these trials by default, which is no measure to compare runs by.
    """
    points = [turned(trial, objectives) for trial in trials]
    return hypervolumes_in(box_around(points) if box is None else box, points)


def hypervolumes_in(box: Box | None, points: Iterable[tuple[float, ...] | None]) -> list[float]:
    """The same from turned values; nothing but 0 without a box."""
    series: list[float] = []
    front: list[tuple[float, ...]] = []
    volume = 0.0
    for values in points:
        if (
            box is not None
            and values is not None
            and not any(dominates(one, values) or one == values for one in front)
        ):
            front = [*(one for one in front if not dominates(values, one)), values]
            volume = box.volume(front)
        series.append(volume)
    return series


def summary_of_front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> dict[str, Any]:
    """What `evonas show --json` says of several objectives: plain JSON values only.

    Returns:
        `objectives` (name and direction); `front` (trial id and value of each objective, the best by the first one
        first); `ideal` and `reference` (by objective, None without a front); `hypervolume` (after each trial).
    """
    box = box_of(trials, objectives)
    names = [objective.name for objective in objectives]
    return {
        "objectives": [{"name": one.name, "direction": one.direction} for one in objectives],
        "front": [
            {"trial": trial.id, **dict(zip(names, values_of(trial, objectives), strict=True))}
            for trial in pareto_front(trials, objectives)
        ],
        "ideal": None if box is None else turned_back(box.ideal, objectives),
        "reference": None if box is None else turned_back(box.reference, objectives),
        "hypervolume": hypervolumes(trials, objectives, box),
    }


def values_of(trial: Trial, objectives: Sequence[Objective]) -> list[float]:
    """A trial's values as they are; NaN where one is not known."""
    values = [objective.value(trial.metrics) for objective in objectives]
    return [math.nan if value is None else value for value in values]
