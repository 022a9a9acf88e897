"""Search in the unit cube: what `cma_es`, `particle_swarm`, `nelder_mead` and `differential_evolution` have in common.

They are methods for points and know nothing of genomes: each makes a batch of points, waits until it knows what became
of all of them, and makes the next. They differ in the method.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Genome, decode, encode
from evonas.randomness import generator
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Proposal, Trial

Point = NDArray[np.float64]
"""Shape (dimension,), in [0, 1]."""

MOST_KNOWN = 32
"""Proposals in a row of known genomes, after which a search has converged and another one begins. They cost nothing. It
is well below the 100 twins in a row that end a run, by default."""


DRAWS = 100
"""Random points in a row of known genomes, after which none is left that is new."""


@dataclass(frozen=True, eq=False)
class Move:
    """A point to be judged, and the lineage of its genome: see `Lineage`."""

    point: Point
    operator: str = "sample"
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Visit:
    """A point, and what became of it.

    Attributes:
        id: of the trial.
        value: of the objective, the less the better; infinite where the trial failed.
    """

    point: Point
    id: int
    value: float

    @property
    def is_ok(self) -> bool:
        return math.isfinite(self.value)

    @property
    def rank(self) -> tuple[float, int]:
        """For sorting best first; equal ones by age."""
        return (self.value, self.id)


Method = Generator[Sequence[Move], Sequence[Visit], None]
"""Gives one batch of moves after the other, is sent the visits of each in the order of its moves, and returns when it
has converged."""


class CubeSearch(Strategy):
    """Asks a batch, waits for what became of it, and asks the next; trials may be told in any order.

    Points of the cube cannot be told from their genomes, for numbers are rounded and words have a whole interval. So
    they are found again: a method is a function of the seed and of what it was sent, and a restored strategy runs it
    anew with what is told. The state is one counter.

    A method that has converged, or whose last proposals were all known before, is given up; the next search begins
    elsewhere, so that the budget is used. Random points are of new genomes, as long as such are found. A trial that got
    another genome than was asked for (a seed) counts at the point of that genome.
    """

    def __init__(self, problem: SearchProblem, settings: Any) -> None:
        super().__init__(problem, settings)
        self._reset()

    @abstractmethod
    def _search(self, start: int) -> Method:
        """The method from its beginning.

        Args:
            start: 0 for the first search of the run, 1 for the next; numbers are drawn from generators with this in
                their counter.
        """

    def _reset(self) -> None:
        """As it was before the first ask."""
        self._asked = 0
        self._starts = 0
        self._batches = 0
        self._digests: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._known = 0  # the last proposals of this search so many of which were known
        self._method = self._search(self._starts)
        self._starts += 1
        self._lay_out(next(self._method))

    def _lay_out(self, moves: Sequence[Move]) -> None:
        self._moves = list(moves)
        self._first = self._asked  # id of the batch's first trial
        self._genomes: list[Genome] = []  # of the moves that were asked, as they were asked
        self._visits: dict[int, Visit] = {}  # by place in the batch
        self._batches += 1

    def ask(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and len(self._genomes) < len(self._moves):
            move, genome = self._next()
            lineage = Lineage(move.operator, move.parents, self._batches - 1)
            proposals.append(Proposal(genome, self.problem.fidelity, lineage))
            self._note(genome, genome)
        return proposals

    def _next(self) -> tuple[Move, Genome]:
        """The next move of the batch and its genome; in the place of a random one that is known, another random one."""
        place = len(self._genomes)
        genome = decode(self.problem.space, self._moves[place].point)
        if not self._moves[place].parents and genome.digest in self._digests:
            rng = generator(self.problem.seed, "select", self._asked)
            for _ in range(DRAWS):
                self._moves[place] = Move(rng.random(self.problem.space.dimension))
                genome = decode(self.problem.space, self._moves[place].point)
                if genome.digest not in self._digests:
                    break
        return self._moves[place], genome

    def _note(self, asked: Genome, trained: Genome) -> None:
        """One more proposal, and the genome that its trial has; give the search up where it finds nothing new."""
        self._asked += 1
        self._genomes.append(asked)
        self._known = self._known + 1 if trained.digest in self._digests else 0
        self._digests.add(trained.digest)
        if self._known >= MOST_KNOWN:
            self._begin()

    def tell(self, trial: Trial) -> None:
        place = trial.id - self._first
        if place < 0:
            return  # of a search that was given up
        is_own = trial.genome == self._genomes[place]
        point = self._moves[place].point if is_own else encode(self.problem.space, trial.genome)
        self._visits[place] = Visit(
            point, trial.id, math.inf if trial.fitness is None else trial.fitness.cost
        )
        if len(self._visits) < len(self._moves):
            return
        try:
            self._lay_out(
                self._method.send([self._visits[place] for place in range(len(self._moves))])
            )
        except StopIteration:
            self._begin()

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._reset()
        for id in range(state["asked"]):
            self._note(self._next()[1], trials[id].genome)
            if trials[id].state.is_final:
                self.tell(trials[id])


def mirrored(point: Point) -> Point:
    """A point outside of the cube, folded back as if the cube's walls were mirrors."""
    folded = np.mod(point, 2.0)
    return np.where(folded > 1.0, 2.0 - folded, folded)


def misfits(problem: SearchProblem, first: int, key: str = "") -> dict[str, str]:
    """What of a strategy does not fit a search problem, by key; the empty key is the strategy itself.

    Args:
        first: trials of its first batch.
        key: the setting that says how many these are.
    """
    space, trials = problem.space, problem.trials
    if space.dimension == 0:
        return {
            "": f"moves in the unit cube, and in the space {space.name} there is nothing to decide."
        }
    if trials is not None and trials <= first:
        return {
            key: f"its first batch has {first} trials in this space of {space.dimension} dimensions, and the budget is"
            f" {trials} trials: nothing would be learned from them. Allowed: a larger budget, or another strategy."
        }
    return {}
