"""Particle swarm: constriction, attraction, and walls."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.genome import parse_space
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.search.cube import Visit
from evonas.search.strategies.particle_swarm import (
    Particle,
    ParticleSwarm,
    ParticleSwarmSettings,
    flown,
    placed,
)
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity

SETTINGS = ParticleSwarmSettings()


def test_the_constriction_is_the_papers():
    assert SETTINGS.constriction == pytest.approx(0.72984, abs=1e-5)
    assert ParticleSwarmSettings(own=2.8, swarm=1.3).constriction == pytest.approx(
        0.72984, abs=1e-5
    )


def test_too_weak_attraction_is_refused():
    builder = Builder(FAMILIES)
    builder.build(ParticleSwarmSettings, {"own": 2.0, "swarm": 2.0})
    (issue,) = builder.issues
    assert issue.path == ("own",)
    assert "above 4" in issue.message


def test_a_step_is_the_papers_formula():
    point, velocity = np.array([0.5, 0.4]), np.array([0.01, -0.02])
    best, leader = Visit(np.array([0.52, 0.4]), 0, 2.0), Visit(np.array([0.45, 0.5]), 1, 1.0)
    after = flown(Particle(point, velocity, best), leader, np.random.default_rng(3), SETTINGS)
    own, swarm = np.random.default_rng(3).random((2, 2))
    pull = 2.05 * own * (best.point - point) + 2.05 * swarm * (leader.point - point)
    assert np.allclose(after.velocity, SETTINGS.constriction * (velocity + pull))
    assert np.allclose(after.point, point + after.velocity)


def test_a_particle_begins_with_half_the_way_to_another_random_place():
    point, other = np.random.default_rng(5).random((2, 3))
    particle = placed(np.random.default_rng(5), 3)
    assert particle.point.tolist() == point.tolist()
    assert np.allclose(particle.velocity, (other - point) / 2)


def test_a_wall_turns_a_particle_and_no_step_is_wider_than_half_the_cube():
    here = Visit(np.array([0.95, 0.5]), 0, 1.0)
    after = flown(
        Particle(here.point, np.array([5.0, 0.0]), here), here, np.random.default_rng(0), SETTINGS
    )
    assert after.velocity.tolist() == [-0.5, 0.0]
    assert np.allclose(after.point, [0.55, 0.5])


def test_a_particle_remembers_its_best_success():
    particle = Particle(np.zeros(1), np.zeros(1))
    for id, value in enumerate([math.inf, 3.0, 2.0, 2.0, math.inf, 5.0]):
        particle = particle.told(Visit(np.full(1, id / 10), id, value))
    assert particle.best is not None
    assert particle.best.id == 2
    assert particle.point.tolist() == [0.5]


def test_parents_are_the_own_best_the_swarms_and_the_last_place(loss):
    point = "{x: {float: [0.0, 1.0]}, y: {float: [0.0, 1.0]}}"
    text = f"space: s\ninput: none\nsettings: {{at: {{ops: {{at: {point}}}}}}}\n"
    problem = SearchProblem(parse_space(text, "s.yaml"), loss, Fidelity(1), 0)
    method = ParticleSwarm(problem, ParticleSwarmSettings(population=4))._search(0)
    moves = next(method)
    every = np.full(2, True)

    def after(moves, first, values):
        """The moves after these, whose trials have the numbers from `first` on."""
        listed = enumerate(zip(moves, values, strict=True), first)
        return method.send([Visit(move.point, id, value) for id, (move, value) in listed])

    moves = after(moves, 0, [3.0, 1.0, math.inf, 2.0])
    assert [move.parents(every) for move in moves] == [(0, 1), (1,), (), (3, 1)]
    assert [move.operator for move in moves] == ["fly", "fly", "sample", "fly"]
    # The first one was worse than before, the second failed, the last one is the new leader.
    moves = after(moves, 4, [4.0, math.inf, 5.0, 0.5])
    assert [move.parents(every) for move in moves] == [(0, 7, 4), (1, 7), (6, 7), (7,)]
