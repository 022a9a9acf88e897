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
EVERY = np.full(DIMENSION, True)
"""Each coordinate decides something about the genome."""


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
        parents = move.parents(EVERY)
        found = []
        for first, second, third in (
            itertools.permutations(visits, 3) if base == "random" else best_first(visits)
        ):
            mutant = first.point + 0.7 * (second.point - third.point)
            is_mutant = np.isclose(move.point, mutant)
            if (is_mutant | (move.point == visits[place].point)).all():
                found.append({visit.id for visit in (visits[place], first, second, third)})
                crossed += int(is_mutant.sum())
                main = first if is_mutant.sum() > DIMENSION / 2 else visits[place]
        assert found == [set(parents)], "these parents and no others explain the child"
        assert parents[0] == main.id, "who gave most"
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
    # The target is the first source of a child, whether it has given much or little.
    assert [move.sources[0].visit.id for move in after] == [0, 11, 12, 3]


def test_empty_places_are_sampled_and_no_child_has_a_failed_parent(problem):
    method, _, moves = begun(problem, [1.0, math.inf, 2.0, 3.0, math.inf])
    assert {(move.operator, move.parents(EVERY)) for move in moves} == {("sample", ())}, (
        "three are no four parents"
    )
    values = [math.inf, 5.0, math.inf, math.inf, math.inf]
    moves = method.send([Visit(move.point, 10 + i, values[i]) for i, move in enumerate(moves)])
    assert [move.operator for move in moves] == ["difference"] * 4 + ["sample"]
    assert {parent for move in moves for parent in move.parents(EVERY)} <= {0, 11, 2, 3}


def test_a_target_that_gave_no_coordinate_is_no_parent(problem):
    _, visits, moves = begun(problem, [4.0, 3.0, 1.0, 2.0, 5.0], base="random", crossover=1.0)
    for visit, move in zip(visits, moves, strict=True):
        parents = move.parents(EVERY)
        assert visit.id not in parents
        assert len(parents) == 3


def test_a_coordinate_that_decides_nothing_makes_nobody_a_parent(problem):
    """Of each child, one coordinate is the mutant's and all others are the target's."""
    _, visits, moves = begun(problem, [4.0, 3.0, 1.0, 2.0, 5.0], base="random", crossover=0.0)
    for visit, move in zip(visits, moves, strict=True):
        is_mutants = move.point != visit.point
        assert move.parents(~is_mutants) == (visit.id,)
        assert len(move.parents(EVERY)) == 4
        assert move.parents(EVERY)[0] == visit.id
        assert visit.id not in move.parents(is_mutants)


def test_points_without_a_difference_are_no_parents(problem):
    """All points but the target are one point, as if seeds had taken their places."""
    settings = DifferentialEvolutionSettings(population=4, base="random")
    method = DifferentialEvolution(problem, settings)._search(0)
    moves = next(method)
    same = np.full(DIMENSION, 0.5)
    points = [moves[0].point, same, same, same]
    child = method.send([Visit(point, id, 1.0) for id, point in enumerate(points)])[0]
    crossed = child.point == same
    assert 0 < crossed.sum() < DIMENSION
    base, target = child.parents(EVERY)
    assert target == 0
    assert base in (1, 2, 3)
