"""Search in the unit cube: the common part of four strategies.

They are `cma_es`, `particle_swarm`, `nelder_mead` and `differential_evolution`. Their methods move
points and know nothing of genomes. Each makes a batch of points, waits for the outcomes of all of
them, and makes the next batch. Only the method differs.
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
from evonas.genome.encoding import Mask, deciding
from evonas.randomness import generator
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Lineage, Proposal, Trial
from evonas.words import counted

Point = NDArray[np.float64]
"""Shape (dimension,), in [0, 1]."""

MOST_KNOWN = 32
"""Number of known genomes in a row after which a search has converged and the next one begins.

Known genomes cost nothing. The number is well below the 100 duplicates in a row that end a run by
default.
"""

DRAWS = 100
"""Number of random points in a row with known genomes, after which no new one is looked for."""


@dataclass(frozen=True, eq=False)
class Visit:
    """A point and its outcome.

    Attributes:
        id: id of the trial.
        value: value of the objective; less is better, and infinite means that the trial failed.
    """

    point: Point
    id: int
    value: float

    @property
    def is_ok(self) -> bool:
        return math.isfinite(self.value)

    @property
    def rank(self) -> tuple[float, int]:
        """Key for sorting best first; equal values are sorted by age."""
        return (self.value, self.id)


@dataclass(frozen=True, eq=False)
class Source:
    """A successful visit that a new point is made of.

    Attributes:
        given: the coordinates of the new point that depend on the visit; shape (dimension,).
    """

    visit: Visit
    given: Mask

    @classmethod
    def of_all(cls, visit: Visit) -> Source:
        """A source that every coordinate depends on."""
        return cls(visit, np.full(len(visit.point), True))

    def share(self, decides: Mask) -> int:
        """The number of coordinates that it gave, of those that decide something."""
        given = self.given & decides
        return int(np.count_nonzero(given))

    def differs(self, other: Source, decides: Mask) -> bool:
        """Whether it gave a coordinate that is another one in the other source."""
        is_other = self.visit.point != other.visit.point
        return bool(np.any(self.given & decides & is_other))


@dataclass(frozen=True, eq=False)
class Move:
    """A point to be judged.

    Attributes:
        point: shape (dimension,), in [0, 1].
        operator: see `Lineage`.
        sources: what the point is made of, each visit once; empty for a random point.
    """

    point: Point
    operator: str = "sample"
    sources: tuple[Source, ...] = ()

    def parents(self, decides: Mask) -> tuple[int, ...]:
        """The ids of the sources that the genome at this point has something of.

        The first is the source that gave most; of equals, it is the first one. Another source is a
        parent only if it gave something that the first does not have.

        Args:
            decides: the coordinates that decide something about the genome; shape (dimension,).
        """
        # Python's sort is stable, so that equal sources keep their order.
        ranked = sorted(self.sources, key=lambda source: -source.share(decides))
        if not ranked:
            return ()
        main, *others = ranked
        ids = [main.visit.id]
        for source in others:
            if source.differs(main, decides):
                ids.append(source.visit.id)
        return tuple(ids)


Method = Generator[Sequence[Move], Sequence[Visit], None]
"""A method of search, as a generator.

It yields one batch of moves after the other. Each time it is sent the visits, in the order of the
moves. It returns when it has converged.
"""


class CubeSearch(Strategy):
    """Asks for one batch, waits until all of its trials are told, and asks for the next.

    The trials of a batch may be told in any order.

    A method that has converged is given up, and so is one that proposes known genomes only. The
    next search begins elsewhere, so that the whole budget is used. Random points are replaced until
    their genomes are new, if such points are found. A trial may get another genome than was asked
    for (a seed); then it counts at the point of that genome.

    The state is one counter. A genome does not tell its exact point, because numbers are rounded
    and a choice has a whole interval. So the points are found again instead of being saved: a
    method is a function of the seed and of the visits that it was sent. A restored strategy runs
    the method again from its beginning, with all trials that are told.
    """

    def __init__(self, problem: SearchProblem, settings: Any) -> None:
        super().__init__(problem, settings)
        self._reset()

    @abstractmethod
    def _search(self, start: int) -> Method:
        """The method from its beginning.

        Args:
            start: number of the search in this run, from 0. Every generator that the method uses
                has it in its counter. Otherwise two searches would be the same.
        """

    def _reset(self) -> None:
        """Return to the state before the first ask."""
        self._asked = 0
        self._starts = 0
        self._batches = 0
        self._digests: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        """Begin the next search."""
        # Number of known genomes among the last proposals, in a row; it starts with each search.
        self._known = 0
        self._method = self._search(self._starts)
        self._starts += 1
        # A generator takes no visits before its first batch: `next`, not `send`.
        moves = next(self._method)
        self._lay_out(moves)

    def _lay_out(self, moves: Sequence[Move]) -> None:
        """Take these moves as the batch to ask for."""
        self._moves = list(moves)
        # The engine numbers trials by proposals, so the next proposal gets this id.
        self._first = self._asked
        # The genomes that were asked so far, one a move.
        self._genomes: list[Genome] = []
        # The outcomes that are told so far, by place in the batch.
        self._visits: dict[int, Visit] = {}
        self._batches += 1

    def ask(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and self._has_moves:
            move, genome = self._next()
            generation = self._batches - 1
            parents = move.parents(deciding(self.problem.space, genome))
            lineage = Lineage((move.operator,), parents, generation)
            proposal = Proposal(genome, self.problem.fidelity, lineage)
            proposals.append(proposal)
            # This may begin another search, with another batch.
            self._note(genome, genome)
        return proposals

    @property
    def _has_moves(self) -> bool:
        """Whether the batch has a move that is not asked yet."""
        asked = len(self._genomes)
        return asked < len(self._moves)

    def _next(self) -> tuple[Move, Genome]:
        """The next move of the batch, and its genome.

        A random point with a known genome is replaced by another random point.
        """
        space = self.problem.space
        known = self._digests
        place = len(self._genomes)
        move = self._moves[place]
        genome = decode(space, move.point)
        # A move with sources is the method's own choice. It stays, even if its genome is known.
        if move.sources or genome.digest not in known:
            return move, genome
        rng = generator(self.problem.seed, "select", self._asked)
        for _ in range(DRAWS):
            move = Move(rng.random(space.dimension))
            genome = decode(space, move.point)
            if genome.digest not in known:
                break
        # The method must be sent a visit of the point that was really asked.
        self._moves[place] = move
        return move, genome

    def _note(self, asked: Genome, trained: Genome) -> None:
        """Count one more proposal, and give the search up if it finds nothing new.

        Args:
            asked: genome of the proposal.
            trained: genome of its trial; another one if a seed took the place of the proposal.
        """
        self._asked += 1
        self._genomes.append(asked)
        if trained.digest in self._digests:
            self._known += 1
        else:
            self._known = 0
        self._digests.add(trained.digest)
        if self._known >= MOST_KNOWN:
            self._begin()

    def tell(self, trial: Trial) -> None:
        place = trial.id - self._first
        # The trial belongs to a search that was given up.
        if place < 0:
            return
        self._visits[place] = self._visit(place, trial)
        if len(self._visits) < len(self._moves):
            return
        # The trials came in any order; the method gets them in the order of its moves.
        visits = [self._visits[place] for place in range(len(self._moves))]
        try:
            moves = self._method.send(visits)
        except StopIteration:
            self._begin()
        else:
            self._lay_out(moves)

    def _visit(self, place: int, trial: Trial) -> Visit:
        """The outcome of the trial that was asked at this place of the batch."""
        if trial.genome == self._genomes[place]:
            # Not `encode`: the middle of a genome's box is not the point that the method chose.
            point = self._moves[place].point
        else:
            point = encode(self.problem.space, trial.genome)
        value = math.inf
        if trial.fitness is not None:
            value = trial.fitness.cost
        return Visit(point, trial.id, value)

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._reset()
        for id in range(state["asked"]):
            trial = trials[id]
            _, genome = self._next()
            self._note(genome, trial.genome)
            # Any order of tells gives the same batches, so each trial is told when it is asked.
            if trial.state.is_final:
                self.tell(trial)


def mirrored(point: Point) -> Point:
    """A point outside of the cube, folded back as if the cube's walls were mirrors."""
    # NumPy's `mod` is never negative for a positive divisor, so this is right below 0 too.
    folded = np.mod(point, 2.0)
    is_beyond = folded > 1.0
    return np.where(is_beyond, 2.0 - folded, folded)


def misfits(problem: SearchProblem, first: int, key: str = "") -> dict[str, str]:
    """Why a strategy does not fit a search problem, by key; the empty key is the whole strategy.

    Args:
        first: number of trials of its first batch.
        key: name of the setting that decides this number.
    """
    space = problem.space
    trials = problem.trials
    if space.dimension == 0:
        return {
            "": f"moves in the unit cube, and in the space {space.name} there is nothing to decide."
        }
    if trials is not None and trials <= first:
        return {
            key: f"its first batch has {counted(first, 'trial')} in this space of"
            f" {counted(space.dimension, 'dimension')}, and the budget is"
            f" {counted(trials, 'trial')}: nothing would be learned from them."
            " Allowed: a larger budget, or another strategy."
        }
    return {}
