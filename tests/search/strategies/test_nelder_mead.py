"""Nelder-Mead against SciPy's, point by point, and what it does where SciPy stops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from evonas.genome import decode, parse_space
from evonas.search.cube import Visit
from evonas.search.strategies.nelder_mead import NelderMead, NelderMeadSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import drive, settled
from evonas.trial import Fidelity


def problem_of(dimension, loss, seed=0):
    listed = ", ".join(f"x{i}: {{float: [-5.0, 5.0]}}" for i in range(dimension))
    text = f"space: cube\ninput: none\nsettings: {{at: {{ops: {{at: {{{listed}}}}}}}}}\n"
    return SearchProblem(parse_space(text, "test.yaml"), loss, Fidelity(1), seed)


def point_of(genome):
    """The numbers of a genome as a point in the unit cube; they are rounded."""
    return (np.array(list(genome["at"][0].parameters.values())) + 5) / 10


def sphere(x):
    return float(np.sum((10 * x - 5) ** 2))


def rosenbrock(x):
    z = 10 * x - 5
    return float(np.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2))


def at_the_wall(x):
    """Its optimum is a corner of the cube, so that points are moved to the walls all the time."""
    return float(np.sum((x - 1.2 * (np.arange(len(x)) % 2)) ** 2 * np.arange(1, len(x) + 1)))


def visited(method, value, count):
    """The points of one search until it ends, at most so many, and how each came about."""
    points, words, moves = [], [], next(method)
    while len(points) < count:
        visits = [
            Visit(move.point, len(points) + i, value(move.point)) for i, move in enumerate(moves)
        ]
        points += [visit.point for visit in visits]
        words += [move.operator for move in moves]
        try:
            moves = method.send(visits)
        except StopIteration:
            break
    return points, words


def scipys(value, first, count, settings):
    """The points that SciPy visits from this simplex until it stops by the same tolerance."""
    points = []

    def noted(x):
        points.append(x.copy())
        return value(x)

    options = {"initial_simplex": first, "maxfev": count, "adaptive": settings.adaptive}
    options |= {"xatol": settings.tolerance, "fatol": np.inf}
    bounds = [(0.0, 1.0)] * first.shape[1]
    minimize(noted, first[0], method="Nelder-Mead", bounds=bounds, options=options)
    return points


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("dimension", [2, 5, 20])
@pytest.mark.parametrize("value", [sphere, rosenbrock, at_the_wall])
def test_the_same_points_as_scipy(loss, value, dimension, adaptive):
    seen, compared, on_a_wall = set(), 0, 0
    for seed in range(2):
        settings = NelderMeadSettings(adaptive=adaptive)
        strategy = NelderMead(problem_of(dimension, loss, seed), settings)
        ours, words = visited(strategy._search(0), value, 600)
        theirs = scipys(value, np.array(ours[: dimension + 1]), 600, settings)
        same = words.index("step") if "step" in words else min(len(ours), 600)
        assert np.array_equal(ours[:same], theirs[:same]), "to the last bit"
        assert "step" in words or len(theirs) == same, "both stop at the same point"
        seen |= set(words)
        compared += same
        on_a_wall += sum(bool(((point == 0) | (point == 1)).any()) for point in ours[:same])
    assert seen >= {"sample", "reflect", "expand", "contract"}
    assert compared > 40 or value is at_the_wall, "there the simplex is soon flat, and laid anew"
    assert on_a_wall > 5 or value is not at_the_wall


def test_shrinks_are_scipys_too(loss):
    """A landscape of needles, in which contractions fail."""

    def needles(x):
        return float(np.sum(np.abs(np.sin(997 * x))))

    shrinks, settings = 0, NelderMeadSettings()
    for seed in range(5):
        ours, words = visited(
            NelderMead(problem_of(3, loss, seed), settings)._search(0), needles, 100
        )
        same = words.index("step") if "step" in words else min(len(ours), 100)
        shrinks += words[:same].count("shrink")
        assert np.array_equal(
            ours[:same], scipys(needles, np.array(ours[:4]), 100, settings)[:same]
        )
    assert shrinks >= 9, "of three corners each"


@pytest.mark.parametrize("value", [sphere, rosenbrock])
def test_asked_and_told_it_visits_scipys_points(loss, value):
    """Through genomes, whose numbers are rounded: the value is that of the genome, for both."""
    problem = problem_of(5, loss)

    def rounded(x):
        return value(point_of(decode(problem.space, x)))

    def make_trial(id, proposal):
        return settled(loss, id, proposal, value(point_of(proposal.genome)))

    trials = drive(NelderMead(problem, NelderMeadSettings()), make_trial, 150)
    first = np.array(visited(NelderMead(problem, NelderMeadSettings())._search(0), value, 6)[0][:6])
    theirs = scipys(rounded, first, 150, NelderMeadSettings())
    assert len(theirs) == 150
    assert [trial.genome for trial in trials] == [decode(problem.space, x) for x in theirs]


def test_it_begins_again_where_scipy_stops(loss):
    problem = problem_of(2, loss)

    def make_trial(id, proposal):
        return settled(loss, id, proposal, sphere(point_of(proposal.genome)))

    trials = drive(NelderMead(problem, NelderMeadSettings(tolerance=0.01)), make_trial, 200)
    samples = [trial.id for trial in trials if trial.lineage.operator == "sample"]
    assert samples[:3] == [0, 1, 2]
    assert len(samples) >= 6
    ours, _ = visited(
        NelderMead(problem, NelderMeadSettings(tolerance=0.01))._search(0), sphere, 200
    )
    assert samples[3] == len(ours), "the search's last point is the one before"


def test_a_simplex_in_a_wall_is_laid_anew_around_its_best_corner(loss):
    method = NelderMead(problem_of(2, loss), NelderMeadSettings())._search(0)
    moves = next(method)
    assert len(moves) == 3
    moves = method.send(
        [Visit(np.array([x, 0.0]), id, 1.0 + id) for id, x in enumerate((0.0, 0.5, 0.9))]
    )
    assert [move.operator for move in moves] == ["step", "step"]
    assert [move.point.tolist() for move in moves] == [[0.5, 0.0], [0.0, 0.5]]
    every = np.full(2, True)
    assert [move.parents(every) for move in moves] == [(0,), (0,)]


def parents_of_steps(loss, failed=()):
    """By the word of each step: the places of its parents in the sorted simplex of that time.

    The landscape has needles, so that every kind of step is taken.
    """
    method = NelderMead(problem_of(3, loss), NelderMeadSettings())._search(0)
    moves, known, found = next(method), {}, {}
    for _ in range(60):
        visits = []
        for move in moves:
            value = float(np.sum(np.abs(np.sin(997 * move.point))))
            id = len(known)
            known[id] = Visit(move.point, id, np.inf if id in failed else value)
            visits.append(known[id])
            found.setdefault(move.operator, []).append((move, id))
        moves = method.send(visits)
    return found, known


def test_a_corner_is_a_parent_of_every_point_that_it_is_part_of(loss):
    """Moved a little, a parent moves the point: the formula of each step, without its code."""
    every = np.full(3, True)
    found, known = parents_of_steps(loss)
    assert {"sample", "reflect", "contract", "shrink"} <= set(found)
    for move, id in found["reflect"]:
        parents = move.parents(every)
        assert len(parents) == 4
        ranked = sorted(parents, key=lambda parent: known[parent].value)
        assert parents[0] == ranked[0], "the best corner"
        points = [known[parent].point for parent in ranked]
        expected = 2 * np.mean(points[:-1], axis=0) - points[-1]
        assert np.allclose(known[id].point, np.clip(expected, 0, 1))
    sides = set()
    for move, id in found["contract"]:
        parents = move.parents(every)
        assert len(parents) == 4
        ranked = sorted(parents, key=lambda parent: known[parent].value)
        points = [known[parent].point for parent in ranked]
        middle = np.mean(points[:-1], axis=0)
        is_inside = bool(np.allclose(known[id].point, (middle + points[-1]) / 2))
        assert parents[0] == ranked[-1 if is_inside else 0], "who gave most"
        sides.add(is_inside)
    assert sides == {True, False}
    for move, id in found["shrink"]:
        corner, best = (known[parent] for parent in move.parents(every))
        assert best.value <= corner.value
        assert np.allclose(known[id].point, (best.point + corner.point) / 2)
    assert {move.parents(every) for move, _ in found["sample"]} == {()}


def test_a_failed_corner_is_no_parent(loss):
    found, _ = parents_of_steps(loss, failed=(1, 3))
    every = np.full(3, True)
    reflected, _ = found["reflect"][0]
    assert sorted(reflected.parents(every)) == [0, 2]


def test_the_first_simplex_has_a_corner_in_each_direction(loss):
    moves = next(NelderMead(problem_of(4, loss), NelderMeadSettings(size=0.25))._search(0))
    points = np.array([move.point for move in moves])
    assert np.allclose(np.abs(points[1:] - points[0]), 0.25 * np.eye(4))
    assert ((points >= 0) & (points <= 1)).all()


def test_one_dimension_works(loss):
    for adaptive in (False, True):
        ours, words = visited(
            NelderMead(problem_of(1, loss), NelderMeadSettings(adaptive=adaptive))._search(0),
            sphere,
            100,
        )
        assert min(map(sphere, ours)) < 0.01
        assert "reflect" in words
