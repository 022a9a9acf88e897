"""Individuals with several objectives, in the form that DEAP's multi-objective operators take; constraints by a rule.

DEAP compares vectors. Constraints are kept out of them: who satisfies them all comes before everybody who does not, and
those who do not are ordered by how much they violate them (Deb et al., 2002: the constrained-domination of NSGA-II).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from deap import base, tools

from evonas.search.individual import Individual
from evonas.trial import Objective, Trial

Choose = Callable[[list["Point"], int], list["Point"]]
"""So many of these points."""


@functools.cache
def _fitness_of(count: int) -> type[base.Fitness]:
    """DEAP's fitness of so many objectives, all minimised."""
    return type(f"_Fitness{count}", (base.Fitness,), {"weights": (-1.0,) * count})


@dataclass(frozen=True, eq=False)
class Point:
    """An individual with its place in the space of objectives.

    Attributes:
        values: one an objective, in order; less is better in all.
        fitness: the `deap.base.Fitness` of these values.
    """

    individual: Individual
    values: tuple[float, ...]
    fitness: base.Fitness = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fitness", _fitness_of(len(self.values))(self.values))

    @property
    def violation(self) -> float:
        return self.individual.value.violation


def values_of(trial: Trial, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """A trial's values of all objectives, turned so that less is better; None where one of them is not known."""
    if trial.fitness is None:
        return None
    found = [(objective.value(trial.metrics), objective.direction) for objective in objectives]
    values = tuple(
        -value if direction == "max" else value for value, direction in found if value is not None
    )
    return values if len(values) == len(objectives) else None


def points(individuals: Sequence[Individual], objectives: Sequence[Objective]) -> list[Point]:
    """The individuals as points, in their order; of each, all objectives must be known."""
    found = [(one, values_of(one.trial, objectives)) for one in individuals]
    return [Point(one, values) for one, values in found if values is not None]


def scaled(found: Sequence[Point]) -> list[Point]:
    """The points with all objectives between 0 and 1, so that their units do not matter."""
    values = np.array([point.values for point in found])
    least, span = values.min(axis=0), np.ptp(values, axis=0)
    shares = (values - least) / np.where(span > 0, span, 1.0)
    return [
        Point(point.individual, tuple(row))
        for point, row in zip(found, shares.tolist(), strict=True)
    ]


def fronts(found: Sequence[Point]) -> list[list[Point]]:
    """All points, front by front, with their crowding distances; those that violate constraints after, least first."""
    feasible = [point for point in found if not point.violation]
    ordered: list[list[Point]] = tools.sortNondominated(feasible, len(feasible)) if feasible else []
    violations = sorted({point.violation for point in found if point.violation})
    ordered += [[point for point in found if point.violation == amount] for amount in violations]
    for front in ordered:
        tools.emo.assignCrowdingDist(front)
    return ordered


def survivors(found: Sequence[Point], count: int, choose: Choose) -> list[Individual]:
    """So many individuals, at most: those that satisfy the constraints by `choose`, and if there is room, the others by
    how little they violate them; of equal ones the older."""
    feasible = [point for point in found if not point.violation]
    violating = [point for point in found if point.violation]
    chosen = choose(feasible, min(count, len(feasible))) if feasible else []
    ordered = sorted(violating, key=lambda point: (point.violation, point.individual.id))
    return [point.individual for point in [*chosen, *ordered[: count - len(chosen)]]]
