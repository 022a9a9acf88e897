"""Local search: try the neighbours of the best genome, and move to a better one.

The search climbs one hill after the other. The best trial of a climb is its centre. A neighbour is
the centre's genome after one edit. Neighbours are proposed in random order. As soon as a better one
is told, it becomes the centre. If no neighbour is left, the next climb begins at a random genome.

Paper: White et al., 2021: Exploring the loss landscape in neural architecture search. Its authors
also try all neighbours and move to the best of them; that form is not here. Here, random starts are
trained while the last neighbours are, and `neighbours` limits how many are tried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.known import unknown
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.variation import Mutation, edited
from evonas.trial import Lineage, Proposal, Trial, rank

MISSES = 100
"""Number of drawn neighbours in a row that were all proposed before, after which none is left.

Of 24 equally likely neighbours, the last one is missed with a probability of 1.4 %.
"""


@dataclass(frozen=True)
class LocalSearchSettings(StrategySettings):
    """The section `strategy.local_search` of a config.

    Attributes:
        neighbours: number of neighbours that are tried before the search starts again elsewhere, if
            none of them is better. Null for all, in a space without continuous parameters.
        mutation: what a neighbour is: the operators of one edit. `rate` and `edits` have no effect
            here.
    """

    neighbours: Annotated[int, Ge(1)] | None = 50
    mutation: Mutation = field(default_factory=Mutation)

    def make(self, problem: SearchProblem) -> Strategy:
        return LocalSearch(problem, self)

    def problems(self) -> dict[str, str]:
        wrong = self.mutation.operators_problem()
        return {"mutation.operators": wrong} if wrong else {}


class LocalSearch(Strategy):
    """Climbs one hill after the other, and never waits; a genome is proposed once.

    If no neighbour of the centre is left, a random genome is proposed: the start of a later climb.
    The climb itself ends when its last neighbours are told and none of them is better.
    """

    def __init__(self, problem: SearchProblem, settings: LocalSearchSettings) -> None:
        super().__init__(problem, settings)
        self.settings: LocalSearchSettings = settings
        self._asked = 0
        self._centre: Trial | None = None
        # Number of neighbours of the centre that were asked.
        self._tried = 0
        # Whether no neighbour of the centre is left.
        self._is_spent = False
        # Neighbours that are asked and not told. All of them belong to this climb, because the next
        # one waits for them.
        self._climbing: set[int] = set()
        # Random trials at which no climb has begun yet.
        self._starts: list[Trial] = []
        self._digests: set[str] = set()
        self._credit = settings.mutation.credit()

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""
        return genome.digest in self._digests

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(count):
            proposals.append(self._propose())
        return proposals

    def _propose(self) -> Proposal:
        proposal = self._neighbour()
        if proposal is None:
            proposal = self._start()
        self._digests.add(proposal.genome.digest)
        # Only neighbours have parents.
        if proposal.lineage.parents:
            self._climbing.add(self._asked)
        self._asked += 1
        return proposal

    def _start(self) -> Proposal:
        """A random genome, at which a climb may begin."""
        rng = generator(self.problem.seed, "sample", self._asked)
        space = self.problem.space
        genome = unknown(self, lambda: sample(space, rng))
        lineage = Lineage(("sample",))
        return Proposal(genome, self.problem.fidelity, lineage)

    def _neighbour(self) -> Proposal | None:
        """A new neighbour of the centre; None if there is no centre with a neighbour left."""
        rng = generator(self.problem.seed, "child", self._asked)
        # A centre without new neighbours ends the climb, unless some of them are not told yet. Then
        # the next climb begins, and the loop tries its centre too.
        while self._centre is not None and not self._is_spent:
            neighbour = self._drawn(self._centre, rng)
            if neighbour is not None:
                self._tried += 1
                return neighbour
            self._is_spent = True
            self._begin_climb()
        return None

    def _drawn(self, centre: Trial, rng: np.random.Generator) -> Proposal | None:
        """A random neighbour that was not proposed before; None if none is found."""
        if self._tried == self.settings.neighbours:
            return None
        space = self.problem.space
        rates = self._credit.rates
        for _ in range(MISSES):
            words: list[str] = []
            genome = edited(space, centre.genome, 1, words, rng, rates)
            # If no edit is possible, this is the centre's own genome, which is known.
            if not self.knows(genome):
                lineage = Lineage((words[0],), (centre.id,))
                return Proposal(genome, self.problem.fidelity, lineage)
        return None

    def _begin_climb(self) -> None:
        """Begin the next climb at the best start, if the last climb is over."""
        if self._centre is not None:
            # A neighbour that is not told yet may be better, and then this climb continues.
            is_over = self._is_spent and not self._climbing
            if not is_over:
                return
        self._starts.sort(key=rank)
        start = self._starts.pop(0) if self._starts else None
        self._move(start)

    def _move(self, centre: Trial | None) -> None:
        """Continue from this trial; None to wait for the next successful start."""
        self._centre = centre
        self._tried = 0
        self._is_spent = False

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._climbing.discard(trial.id)
        is_start = not trial.lineage.parents
        if is_start and trial.fitness is not None:
            self._starts.append(trial)
        elif self._centre is not None and _is_better(trial, self._centre):
            self._move(trial)
        self._begin_climb()

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: the centre, and the starts of later climbs."""
        found = [] if self._centre is None else [self._centre.id]
        for trial in self._starts:
            found.append(trial.id)
        return found

    def state_dict(self) -> dict[str, Any]:
        centre = None if self._centre is None else self._centre.id
        starts = [trial.id for trial in self._starts]
        return {
            "asked": self._asked,
            "centre": centre,
            "tried": self._tried,
            "spent": self._is_spent,
            "starts": starts,
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        centre = state["centre"]
        self._centre = None if centre is None else trials[centre]
        self._asked = state["asked"]
        self._tried = state["tried"]
        self._is_spent = state["spent"]
        self._starts = [trials[id] for id in state["starts"]]
        # The genomes and the waiting neighbours are found again in the trials, so the state does
        # not name them.
        self._digests = set()
        self._climbing = set()
        for id, trial in trials.items():
            self._digests.add(trial.genome.digest)
            if trial.lineage.parents and not trial.state.is_final:
                self._climbing.add(id)
        self._credit.restore(trials)


def _is_better(trial: Trial, centre: Trial) -> bool:
    """Whether the fitness is better; an equal one does not move the centre."""
    fitness, _ = rank(trial)
    best, _ = rank(centre)
    return fitness < best
