"""Particle swarm: points that fly, drawn to the best place they were at and to the best that any of them was at
(Kennedy and Eberhart, 1995; with the constriction of Clerc and Kennedy, 2002)."""

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
from evonas.search.cube import CubeSearch, Method, Move, Point, Visit, mirrored, misfits
from evonas.search.strategy import SearchProblem

FASTEST = 0.5
"""The largest velocity in a coordinate, as a part of the cube's width for each generation."""


@dataclass(frozen=True)
class ParticleSwarmSettings:
    """The section `strategy.particle_swarm` of a config.

    Attributes:
        population: particles; each generation is a trial of each.
        own: how strongly a particle is drawn to the best place where it was.
        swarm: how strongly to the best place where any was. The two must be above 4 together; the greater the sum, the
            sooner the swarm comes to rest. The paper has 2.05 and 2.05.
    """

    population: Annotated[int, Ge(2)] = 16
    own: Annotated[float, Gt(0)] = 2.05
    swarm: Annotated[float, Gt(0)] = 2.05

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        if self.own + self.swarm > 4:
            return {}
        return {"own": f"must be above 4 together with swarm. Received: {self.own} + {self.swarm}"}

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return misfits(problem, self.population, "population")

    @property
    def constriction(self) -> float:
        """What velocities are multiplied by, so that the swarm comes to rest: 0.73 for the paper's settings."""
        phi = self.own + self.swarm
        return 2 / (phi - 2 + math.sqrt(phi * phi - 4 * phi))


@dataclass(frozen=True, eq=False)
class Particle:
    """Attributes:
    best: the best visit; None while none succeeded.
    """

    point: Point
    velocity: Point
    best: Visit | None = None

    def told(self, visit: Visit) -> Particle:
        """The particle after a visit, at the place of which it now is."""
        is_better = visit.is_ok and (self.best is None or visit.value < self.best.value)
        return replace(self, point=visit.point, best=visit if is_better else self.best)


def flown(
    particle: Particle, leader: Visit, rng: np.random.Generator, settings: ParticleSwarmSettings
) -> Particle:
    """The particle a generation later. A wall that it meets mirrors its way, and its velocity in that coordinate."""
    assert particle.best is not None
    own, swarm = rng.random((2, len(particle.point)))
    pull = settings.own * own * (particle.best.point - particle.point)
    pull += settings.swarm * swarm * (leader.point - particle.point)
    velocity = np.clip(settings.constriction * (particle.velocity + pull), -FASTEST, FASTEST)
    ahead = particle.point + velocity
    turned = np.where((ahead < 0) | (ahead > 1), -velocity, velocity)
    return replace(particle, point=mirrored(ahead), velocity=turned)


def placed(rng: np.random.Generator, dimension: int) -> Particle:
    """A particle anywhere, on half its way to another place."""
    point, other = rng.random((2, dimension))
    return Particle(point, (other - point) / 2)


class ParticleSwarm(CubeSearch):
    """A swarm in which everyone knows the best; a generation is told before the next one flies.

    A particle that never succeeded has nothing to go by: it is placed anew. A failed trial is no place to remember.
    """

    Settings = ParticleSwarmSettings

    def _search(self, start: int) -> Method:
        tools = self._toolbox()
        rng = generator(self.problem.seed, "sample", start)
        swarm: list[Particle] = [tools.place(rng) for _ in range(self.settings.population)]
        moves = [Move(particle.point) for particle in swarm]
        for generation in itertools.count():
            visits = yield moves
            swarm = [particle.told(visit) for particle, visit in zip(swarm, visits, strict=True)]
            rng = generator(self.problem.seed, "child", start, generation)
            leader = _leader(swarm)
            swarm = [
                tools.place(rng)
                if leader is None or particle.best is None
                else tools.fly(particle, leader, rng)
                for particle in swarm
            ]
            moves = [_move(particle, leader) for particle in swarm]

    def _toolbox(self) -> Any:
        """The two things that a particle can do, in DEAP's manner."""
        toolbox = base.Toolbox()
        toolbox.register("place", placed, dimension=self.problem.space.dimension)
        toolbox.register("fly", flown, settings=self.settings)
        return toolbox


def _leader(swarm: Sequence[Particle]) -> Visit | None:
    """The best visit of all; None while none succeeded."""
    return min(
        (item.best for item in swarm if item.best is not None),
        key=lambda visit: visit.rank,
        default=None,
    )


def _move(particle: Particle, leader: Visit | None) -> Move:
    """Its parents are its own best and the swarm's."""
    if particle.best is None or leader is None:
        return Move(particle.point)
    return Move(particle.point, "fly", tuple(dict.fromkeys((particle.best.id, leader.id))))
