"""Individuals with several objectives, in the form that DEAP's operators take.

DEAP compares vectors of objectives. Constraints are kept out of them, by the constrained-domination
of NSGA-II (Deb et al., 2002). An individual that satisfies all constraints comes before every one
that does not. The others are ordered by how much they violate the constraints.
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
"""Chooses a given number of these points."""


# DEAP takes the weights from the class of a fitness, so each number of objectives needs a class.
@functools.cache
def _fitness_of(count: int) -> type[base.Fitness]:
    """DEAP's fitness of `count` objectives, all minimised."""
    name = f"_Fitness{count}"
    weights = (-1.0,) * count
    return type(name, (base.Fitness,), {"weights": weights})


@dataclass(frozen=True, eq=False)
class Point:
    """An individual with its place in the space of objectives.

    Attributes:
        values: values of the objectives, in their order; less is better in all.
        fitness: the `deap.base.Fitness` of these values.
    """

    individual: Individual
    values: tuple[float, ...]
    fitness: base.Fitness = field(init=False)

    def __post_init__(self) -> None:
        kind = _fitness_of(len(self.values))
        fitness = kind(self.values)
        # The dataclass is frozen, so a plain assignment would raise.
        object.__setattr__(self, "fitness", fitness)

    @property
    def violation(self) -> float:
        return self.individual.value.violation


def values_of(trial: Trial, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """A trial's values of all objectives, turned so that less is better.

    None if the trial failed or a value is not known.
    """
    if trial.fitness is None:
        return None
    values = []
    for objective in objectives:
        value = objective.value(trial.metrics)
        if value is None:
            return None
        values.append(-value if objective.direction == "max" else value)
    return tuple(values)


def points(individuals: Sequence[Individual], objectives: Sequence[Objective]) -> list[Point]:
    """The individuals with known values of all objectives, as points in the same order."""
    found = []
    for individual in individuals:
        values = values_of(individual.trial, objectives)
        if values is not None:
            found.append(Point(individual, values))
    return found


def scaled(found: Sequence[Point]) -> list[Point]:
    """The points with all objectives between 0 and 1, so that their units do not matter."""
    values = np.array([point.values for point in found])
    least = values.min(axis=0)
    span = np.ptp(values, axis=0)
    # An objective with one value only would be divided by 0; all of its shares are 0.
    divisor = np.where(span > 0, span, 1.0)
    shares = (values - least) / divisor
    moved = []
    for point, row in zip(found, shares.tolist(), strict=True):
        moved.append(Point(point.individual, tuple(row)))
    return moved


def fronts(found: Sequence[Point]) -> list[list[Point]]:
    """All points in fronts, the best front first; each point gets its crowding distance.

    Points that violate constraints follow the others, the least violation first.
    """
    feasible = [point for point in found if not point.violation]
    ordered: list[list[Point]] = []
    if feasible:
        ordered = tools.sortNondominated(feasible, len(feasible))
    violations = sorted({point.violation for point in found if point.violation})
    for amount in violations:
        ordered.append([point for point in found if point.violation == amount])
    # DEAP writes the distance into the fitness of each point; the tournament of NSGA-II reads it.
    for front in ordered:
        tools.emo.assignCrowdingDist(front)
    return ordered


def survivors(found: Sequence[Point], count: int, choose: Choose) -> list[Individual]:
    """At most `count` individuals.

    `choose` decides among those that satisfy the constraints. If places are left, the others follow
    by how little they violate the constraints; of equal ones the older comes first.
    """
    feasible = [point for point in found if not point.violation]
    violating = [point for point in found if point.violation]
    chosen: list[Point] = []
    # `scaled`, which NSGA-III needs, cannot take an empty list.
    if feasible:
        chosen = choose(feasible, min(count, len(feasible)))
    violating.sort(key=lambda point: (point.violation, point.individual.id))
    places_left = count - len(chosen)
    kept = [*chosen, *violating[:places_left]]
    return [point.individual for point in kept]
