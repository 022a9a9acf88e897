"""Particle swarm: points that fly through the unit cube.

A particle has a point and a velocity. In each generation it is drawn to two places: the best place
where it has been itself, and the best place where any particle has been. Both pulls have a random
strength. The velocity is multiplied by the constriction, so that the swarm comes to rest.

Papers: Kennedy and Eberhart, 1995: Particle swarm optimization; for the constriction, Clerc and
Kennedy, 2002. With the constriction, the paper needs no limit of speed. Here is one all the same,
`FASTEST`, which is no setting. The papers have no walls either.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt
from deap import base

from evonas.randomness import generator
from evonas.search.cube import CubeSearch, Method, Move, Point, Source, Visit, mirrored, misfits
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings

FASTEST = 0.5
"""The largest velocity in a coordinate, as a part of the cube's width for each generation.

It cannot be set, and it is not in the paper (Clerc and Kennedy, 2002). On what the number was
chosen is not recorded.
"""


@dataclass(frozen=True)
class ParticleSwarmSettings(StrategySettings):
    """The section `strategy.particle_swarm` of a config.

    Attributes:
        population: number of particles; a generation has one trial for each of them.
        own: strength of the pull to the best place where the particle itself has been.
        swarm: strength of the pull to the best place where any particle has been. `own` and `swarm`
            together must be above 4. The greater their sum, the sooner the swarm comes to rest. The
            paper has 2.05 and 2.05.
    """

    population: Annotated[int, Ge(2)] = 16
    own: Annotated[float, Gt(0)] = 2.05
    swarm: Annotated[float, Gt(0)] = 2.05

    libraries = ("deap",)

    def make(self, problem: SearchProblem) -> Strategy:
        return ParticleSwarm(problem, self)

    def first_generation(self) -> int | None:
        return self.population

    def problems(self) -> dict[str, str]:
        # Otherwise `constriction` has no root.
        if self.own + self.swarm > 4:
            return {}
        return {"own": f"must be above 4 together with swarm. Received: {self.own} + {self.swarm}"}

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        first = self.population
        return misfits(problem, first, "population")

    @property
    def constriction(self) -> float:
        """The factor of velocities: 0.73 for the paper's settings."""
        phi = self.own + self.swarm
        square = phi * phi
        root = math.sqrt(square - 4 * phi)
        return 2 / (phi - 2 + root)


@dataclass(frozen=True, eq=False)
class Particle:
    """A point that flies.

    Attributes:
        point: place of the particle, with shape (dimension,).
        velocity: way of one generation, with shape (dimension,).
        best: the best visit of the particle; None as long as none succeeded.
        last: the latest visit, from which the particle flies on; None before the first one.
    """

    point: Point
    velocity: Point
    best: Visit | None = None
    last: Visit | None = None

    def told(self, visit: Visit) -> Particle:
        """The particle after a visit."""
        best = self.best
        if visit.is_ok and (best is None or visit.value < best.value):
            best = visit
        # The visit may be of another point than was asked for, if a seed took its place.
        return replace(self, point=visit.point, best=best, last=visit)


def flown(
    particle: Particle, leader: Visit, rng: np.random.Generator, settings: ParticleSwarmSettings
) -> Particle:
    """The particle one generation later.

    A wall of the cube mirrors its way, and its velocity in that coordinate.
    """
    assert particle.best is not None
    point = particle.point
    dimension = len(point)
    own, swarm = rng.random((2, dimension))
    to_own_best = particle.best.point - point
    to_leader = leader.point - point
    pull = settings.own * own * to_own_best
    pull += settings.swarm * swarm * to_leader
    velocity = settings.constriction * (particle.velocity + pull)
    velocity = np.clip(velocity, -FASTEST, FASTEST)
    ahead = point + velocity
    is_outside = (ahead < 0) | (ahead > 1)
    turned = np.where(is_outside, -velocity, velocity)
    return replace(particle, point=mirrored(ahead), velocity=turned)


def placed(rng: np.random.Generator, dimension: int) -> Particle:
    """A particle at a random place."""
    point, other = rng.random((2, dimension))
    # Its first way leads half the distance to another random place, so it stays in the cube.
    way = other - point
    return Particle(point, way / 2)


class ParticleSwarm(CubeSearch):
    """A swarm in which every particle knows the best place; a generation is told before the next.

    A particle that never succeeded has no place to be drawn to, so it gets a new random place.
    """

    def _search(self, start: int) -> Method:
        seed = self.problem.seed
        tools = self._toolbox()
        rng = generator(seed, "sample", start)
        swarm: list[Particle] = [tools.place(rng) for _ in range(self.settings.population)]
        leader: Visit | None = None
        for generation in itertools.count():
            visits = yield [_move(particle, leader) for particle in swarm]
            told = []
            for particle, visit in zip(swarm, visits, strict=True):
                told.append(particle.told(visit))
            leader = _leader(told)
            rng = generator(seed, "child", start, generation)
            # In order, because all particles draw from the same generator.
            swarm = []
            for particle in told:
                if leader is None or particle.best is None:
                    swarm.append(tools.place(rng))
                else:
                    swarm.append(tools.fly(particle, leader, rng))

    def _toolbox(self) -> Any:
        """The two things that a particle can do, in DEAP's manner."""
        toolbox = base.Toolbox()
        dimension = self.problem.space.dimension
        toolbox.register("place", placed, dimension=dimension)
        toolbox.register("fly", flown, settings=self.settings)
        return toolbox


def _leader(swarm: Sequence[Particle]) -> Visit | None:
    """The best visit of all particles; None as long as none succeeded."""
    visits = []
    for particle in swarm:
        if particle.best is not None:
            visits.append(particle.best)
    return min(visits, key=lambda visit: visit.rank, default=None)


def _move(particle: Particle, leader: Visit | None) -> Move:
    """The move to a particle's place.

    Its sources are the best visits that the particle was drawn to, and the one that it came from.
    """
    # A particle that was just placed was drawn to nothing.
    if particle.best is None or leader is None:
        return Move(particle.point)
    visits = {particle.best.id: particle.best, leader.id: leader}
    # It also flies on from a failed visit, but a failed trial is never a parent.
    if particle.last is not None and particle.last.is_ok:
        visits[particle.last.id] = particle.last
    sources = [Source.of_all(visit) for visit in visits.values()]
    return Move(particle.point, "fly", tuple(sources))
