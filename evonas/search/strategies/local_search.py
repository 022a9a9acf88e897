"""Local search: look at the neighbours of the best, move to a better one (White et al., 2021: Exploring the loss
landscape in neural architecture search)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge

from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.known import unknown
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.variation import Mutation, edited
from evonas.trial import Lineage, Proposal, Trial, rank

MISSES = 100
"""Draws of a neighbour in a row that were all proposed before, after which none is left. Of 24 neighbours, all as
likely, the last one is missed with a probability of 1.4 %."""


@dataclass(frozen=True)
class LocalSearchSettings:
    """The section `strategy.local_search` of a config.

    Attributes:
        neighbours: of the best that are tried, none of them better, before the search starts again elsewhere; null for
            all, in a space in which no parameter is continuous.
        mutation: what a neighbour is: the operators of one edit. `rate` and `edits` are of no effect here.
    """

    neighbours: Annotated[int, Ge(1)] | None = 50
    mutation: Mutation = field(default_factory=Mutation)

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        wrong = self.mutation.operators_problem()
        return {"mutation.operators": wrong} if wrong else {}


class LocalSearch(Strategy):
    """Climbs one hill after the other; a genome is proposed once.

    The best trial of a climb is its centre. Each ask proposes a new neighbour of the centre, one edit away, in random
    order; the centre moves as soon as one is told that is better. Where no neighbour is left, the next climb may start
    anywhere, and nobody waits: a random start is proposed, and while neighbours are not told that could still carry the
    climb on, it is kept for later.
    """

    Settings = LocalSearchSettings

    def __init__(self, problem: SearchProblem, settings: LocalSearchSettings) -> None:
        super().__init__(problem, settings)
        self.settings: LocalSearchSettings = settings
        self._asked = 0
        self._centre: Trial | None = None
        self._tried = 0  # neighbours of the centre that were asked
        self._is_spent = False  # whether no neighbour of it is left
        self._climbing: set[int] = (
            set()
        )  # neighbours that were asked, all of them in this climb, and are not told
        self._starts: list[Trial] = []  # random trials that no climb has begun from
        self._digests: set[str] = set()
        self._credit = settings.mutation.credit()

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""
        return genome.digest in self._digests

    def ask(self, count: int) -> list[Proposal]:
        return [self._propose() for _ in range(count)]

    def _propose(self) -> Proposal:
        proposal = self._neighbour()
        if proposal is None:
            rng = generator(self.problem.seed, "sample", self._asked)
            genome = unknown(self, lambda: sample(self.problem.space, rng))
            proposal = Proposal(genome, self.problem.fidelity, Lineage("sample"))
        self._note(self._asked, proposal)
        self._asked += 1
        return proposal

    def _note(self, id: int, proposal: Proposal) -> None:
        self._digests.add(proposal.genome.digest)
        if proposal.lineage.parents:
            self._climbing.add(id)

    def _neighbour(self) -> Proposal | None:
        """A new neighbour of the centre, or of the next one where none is left; None where there is no centre."""
        rng = generator(self.problem.seed, "child", self._asked)
        while self._centre is not None and not self._is_spent:
            for _ in range(MISSES if self._tried != self.settings.neighbours else 0):
                words: list[str] = []
                genome = edited(
                    self.problem.space, self._centre.genome, 1, words, rng, self._credit.rates
                )
                if not self.knows(genome):
                    self._tried += 1
                    return Proposal(
                        genome, self.problem.fidelity, Lineage(words[0], (self._centre.id,))
                    )
            self._is_spent = True
            self._begin_climb()
        return None

    def _begin_climb(self) -> None:
        """The next climb begins at the best start, if the last one is over."""
        if self._centre is not None and (not self._is_spent or self._climbing):
            return
        self._starts.sort(key=rank)
        self._move(self._starts.pop(0) if self._starts else None)

    def _move(self, centre: Trial | None) -> None:
        self._centre, self._tried, self._is_spent = centre, 0, False

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._climbing.discard(trial.id)
        if trial.fitness is not None and not trial.lineage.parents:
            self._starts.append(trial)
        elif self._centre is not None and rank(trial)[0] < rank(self._centre)[0]:
            self._move(trial)
        self._begin_climb()

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: the centre, and where later climbs begin."""
        centre = [] if self._centre is None else [self._centre.id]
        return [*centre, *(trial.id for trial in self._starts)]

    def state_dict(self) -> dict[str, Any]:
        return {
            "asked": self._asked,
            "centre": None if self._centre is None else self._centre.id,
            "tried": self._tried,
            "spent": self._is_spent,
            "starts": [trial.id for trial in self._starts],
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._move(None if state["centre"] is None else trials[state["centre"]])
        self._asked, self._tried, self._is_spent = state["asked"], state["tried"], state["spent"]
        self._starts = [trials[id] for id in state["starts"]]
        self._digests = {trial.genome.digest for trial in trials.values()}
        waiting = [id for id, trial in trials.items() if not trial.state.is_final]
        self._climbing = {id for id in waiting if trials[id].lineage.parents}
        self._credit.restore(trials)
