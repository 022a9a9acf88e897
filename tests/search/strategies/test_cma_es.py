"""CMA-ES: DEAP's algorithm; only successes recombine, a degenerate distribution begins anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from deap import base, cma

from evonas.genome import parse_space
from evonas.randomness import generator
from evonas.search.cube import Visit
from evonas.search.individual import lent_randomness
from evonas.search.strategies.cma_es import CmaEs, CmaEsSettings, _update
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity


class Least(base.Fitness):
    weights = (-1.0,)


class Plain(list):
    fitness = None


def problem_of(dimension, loss, seed=0):
    listed = ", ".join(f"x{i}: {{float: [-5.0, 5.0]}}" for i in range(dimension))
    text = f"space: cube\ninput: none\nsettings: {{at: {{ops: {{at: {{{listed}}}}}}}}}\n"
    return SearchProblem(parse_space(text, "test.yaml"), loss, Fidelity(1), seed)


def value(point):
    return float(np.sum((point - 0.4) ** 2 * np.arange(1, len(point) + 1)))


def sent(method, moves, judge):
    return method.send([Visit(move.point, i, judge(i, move.point)) for i, move in enumerate(moves)])


def test_where_no_wall_is_met_it_is_deaps_own_loop(loss):
    """A small sigma keeps all points inside.

    DEAP's loop is given whole generations, ours their better halves.
    """
    method = CmaEs(problem_of(6, loss), CmaEsSettings(sigma=0.05))._search(0)
    deaps, moves = cma.Strategy([0.5] * 6, 0.05), next(method)
    for generation in range(12):
        with lent_randomness(generator(0, "child", 0, generation)):
            population = deaps.generate(Plain)
        assert np.array_equal([move.point for move in moves], population)
        assert all(0 < x < 1 for individual in population for x in individual)
        for individual in population:
            individual.fitness = Least((value(np.array(individual)),))
        deaps.update(population)
        moves = sent(method, moves, lambda i, point: value(point))


@pytest.mark.parametrize(("dimension", "population"), [(1, 4), (5, 8), (20, 12), (121, 18)])
def test_the_size_of_a_generation(loss, dimension, population):
    assert CmaEsSettings().size(dimension) == population
    assert len(next(CmaEs(problem_of(dimension, loss), CmaEsSettings())._search(0))) == population


def parents(move):
    """The parents of a point of which every coordinate decides something."""
    return move.parents(np.full(len(move.point), True))


def test_parents_are_the_better_half_or_those_that_succeeded(loss):
    method = CmaEs(problem_of(5, loss), CmaEsSettings())._search(0)
    moves = sent(method, next(method), lambda i, point: float(-i))
    assert {parents(move) for move in moves} == {(7, 6, 5, 4)}
    moves = sent(method, moves, lambda i, point: 1.0 if i == 3 else math.inf)
    assert {parents(move) for move in moves} == {(3,)}
    moves = sent(method, moves, lambda i, point: math.inf)
    assert {(move.operator, parents(move)) for move in moves} == {("recombine", (3,))}, (
        "the distribution stays"
    )


def test_one_parent_is_the_next_centre():
    distribution = cma.Strategy([0.5] * 3, 0.3)
    _update(distribution, [Visit(np.array([0.1, 0.2, 0.3]), 0, 1.0)])
    assert np.allclose(distribution.centroid, [0.1, 0.2, 0.3])


def test_a_degenerate_distribution_ends_the_search(loss):
    """Trials that all lie at one point leave no spread; the search starts close to that."""
    method = CmaEs(problem_of(3, loss), CmaEsSettings(sigma=1e-100))._search(0)
    generations = [next(method)]
    with pytest.raises(StopIteration):
        while len(generations) < 5000:
            generations.append(method.send([Visit(np.full(3, 0.5), i, 1.0) for i in range(7)]))
    assert len(generations) > 10


def test_later_searches_begin_elsewhere(loss):
    strategy = CmaEs(problem_of(5, loss), CmaEsSettings(sigma=0.01))
    first, second = (
        np.mean([move.point for move in next(strategy._search(start))], axis=0) for start in (0, 1)
    )
    assert np.allclose(first, 0.5, atol=0.02)
    assert not np.allclose(second, 0.5, atol=0.05)


def test_a_point_beyond_a_wall_is_mirrored_there(loss):
    """DEAP's own points, folded back by hand; a clipped one would lie on the wall."""
    settings = CmaEsSettings(population=40, sigma=1.0)
    moves = next(CmaEs(problem_of(3, loss), settings)._search(0))
    with lent_randomness(generator(0, "child", 0, 0)):
        drawn = cma.Strategy([0.5] * 3, 1.0, lambda_=40).generate(np.array)
    outside = 0
    for move, point in zip(moves, drawn, strict=True):
        expected = []
        for x in point:
            outside += not 0 <= x <= 1
            while not 0 <= x <= 1:
                x = -x if x < 0 else 2 - x
            expected.append(x)
        assert move.point == pytest.approx(expected)
    assert outside > 40, "or this shows nothing"
