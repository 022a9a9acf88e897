"""Differential evolution: who the parents are, what a child takes from each, and who lives on."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from evonas.genome import parse_space
from evonas.search.cube import Visit
from evonas.search.strategies.differential_evolution import (
    DifferentialEvolution,
    DifferentialEvolutionSettings,
)
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity

DIMENSION = 30


@pytest.fixture
def problem(loss):
    listed = ", ".join(f"x{i}: {{float: [-5.0, 5.0]}}" for i in range(DIMENSION))
    text = f"space: cube\ninput: none\nsettings: {{at: {{ops: {{at: {{{listed}}}}}}}}}\n"
    return SearchProblem(parse_space(text, "test.yaml"), loss, Fidelity(1), 0)


def begun(problem, values, **settings):
    """The first generation's visits and the moves after it.

    The visits are near the middle, so that no child meets a wall.
    """
    settings = DifferentialEvolutionSettings(population=len(values), **settings)
    method = DifferentialEvolution(problem, settings)._search(0)
    next(method)
    points = np.random.default_rng(0).uniform(0.4, 0.6, (len(values), DIMENSION))
    visits = [
        Visit(point, i, value) for i, (point, value) in enumerate(zip(points, values, strict=True))
    ]
    return method, visits, method.send(visits)


@pytest.mark.parametrize("base", ["random", "best"])
def test_a_child_is_its_target_crossed_with_the_base_and_a_difference(problem, base):
    _, visits, moves = begun(
        problem, [4.0, 3.0, 1.0, 2.0, 5.0, 6.0], base=base, factor=0.7, crossover=0.6
    )
    crossed = 0
    for place, move in enumerate(moves):
        assert move.operator == "difference"
        assert move.parents[0] == place
        found = []
        for first, second, third in (
            itertools.permutations(visits, 3) if base == "random" else best_first(visits)
        ):
            mutant = first.point + 0.7 * (second.point - third.point)
            is_mutant = np.isclose(move.point, mutant)
            if (is_mutant | (move.point == visits[place].point)).all():
                found.append({visit.id for visit in (visits[place], first, second, third)})
                crossed += int(is_mutant.sum())
        assert found == [set(move.parents)], "these parents and no others explain the child"
    assert 0.45 < crossed / (6 * DIMENSION) < 0.75


def best_first(visits):
    """Every triple that begins with the best one; it may be in the difference, too."""
    return [(visits[2], *pair) for pair in itertools.permutations(visits, 2)]


def test_a_child_always_differs_from_its_target(problem):
    _, visits, moves = begun(problem, [1.0, 2.0, 3.0, 4.0], crossover=0.0)
    for visit, move in zip(visits, moves, strict=True):
        assert int((visit.point != move.point).sum()) == 1


def test_the_better_one_lives_and_of_equals_the_child(problem):
    method, _, moves = begun(problem, [2.0, 2.0, 2.0, 2.0], base="random")
    children = [3.0, 2.0, 1.0, math.inf]
    after = method.send([Visit(move.point, 10 + i, children[i]) for i, move in enumerate(moves)])
    assert [move.parents[0] for move in after] == [0, 11, 12, 3]


def test_empty_places_are_sampled_and_no_child_has_a_failed_parent(problem):
    method, _, moves = begun(problem, [1.0, math.inf, 2.0, 3.0, math.inf])
    assert {(move.operator, move.parents) for move in moves} == {("sample", ())}, (
        "three are no four parents"
    )
    values = [math.inf, 5.0, math.inf, math.inf, math.inf]
    moves = method.send([Visit(move.point, 10 + i, values[i]) for i, move in enumerate(moves)])
    assert [move.operator for move in moves] == ["difference"] * 4 + ["sample"]
    assert {parent for move in moves for parent in move.parents} <= {0, 11, 2, 3}
