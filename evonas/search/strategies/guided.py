"""Guided evolution: many children are bred for each trial, and a surrogate chooses one.

The first trials are founders. After that, parents are drawn by rank among all trials so far. For
each trial, a pool of children is bred. A surrogate, a model that predicts the fitness of a genome,
finds the most promising of them. Those are edited further, twice. The child with the largest
expected improvement is trained.

There are no generations, and nobody dies (a steady state; Whitley, 1989). A trial with many better
ones is rarely a parent.

Papers: Jin, 2011: Surrogate-assisted evolutionary computation, for the choice among children; Jones
et al., 1998, for the expected improvement. Neither has the further edits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.genome import MutationRates, sample
from evonas.randomness import generator
from evonas.search.breeding import Child, bred, possible
from evonas.search.candidates import Candidates
from evonas.search.crossover import Crossover, Uniform
from evonas.search.known import DRAWS, unknown
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate import Experience, GaussianProcess, Surrogate
from evonas.search.variation import Mutation
from evonas.trial import Lineage, Proposal, Trial

PARENTS = 1000
"""Number of the best trials that may be parents. A later one would be drawn once in 7,000 times."""

GUIDED = 1000
"""Number of trials that a surrogate chooses. Later ones cost no more, however many there are."""

ROUNDS = 2
"""Rounds of further edits."""

PROMISING = 8
"""Number of the most promising children that a round edits further."""


@dataclass(frozen=True)
class GuidedSettings(StrategySettings):
    """The settings of `evolution` with a guide; see `evolution.py`.

    Attributes:
        initial: number of founders; those that are not named are random.
        children: number of children that are bred for each trial. Each of two rounds of further
            edits adds half as many.
        surrogate: model that chooses among the children.
        crossover: how two parents are mixed, and how often.
        mutation: how children are edited.
    """

    initial: Annotated[int, Ge(2)] = 10
    children: Annotated[int, Ge(2)] = 64
    surrogate: Surrogate = field(default_factory=GaussianProcess)
    crossover: Crossover = field(default_factory=Uniform)
    mutation: Mutation = field(default_factory=lambda: Mutation(edits=2))

    places_founders = True

    def make(self, problem: SearchProblem) -> Strategy:
        return Guided(problem, self)

    def first_generation(self) -> int | None:
        return self.initial

    def problems(self) -> dict[str, str]:
        found = {"mutation.operators": self.mutation.operators_problem()}
        founders = len(self.founder_names)
        if founders > self.initial:
            found["founders"] = f"{founders} founders do not fit into {self.initial} initial trials"
        return {key: message for key, message in found.items() if message}


class Guided(Strategy):
    """Never waits: the surrogate believes its own prediction of a trial that is not told yet.

    So proposals that are asked together keep apart. A genome is proposed once, as long as new ones
    are found. There is no state, because everything is a function of the trials.
    """

    def __init__(self, problem: SearchProblem, settings: GuidedSettings) -> None:
        super().__init__(problem, settings)
        self.settings: GuidedSettings = settings
        self._credit = settings.mutation.credit()
        self._experience = Experience(problem, settings.surrogate)

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(count):
            proposals.append(self._propose())
        return proposals

    def _propose(self) -> Proposal:
        child = None
        if self._may_breed():
            child = self._child()
        proposal = self._founder() if child is None else self._proposal_of(child)
        # The experience must know this proposal before the next one is chosen.
        self._experience.ask(proposal.genome)
        return proposal

    def _may_breed(self) -> bool:
        """Whether the founders are asked, and enough of them are told."""
        experience = self._experience
        if experience.asked < self.settings.initial:
            return False
        # A surrogate cannot be fitted to less than two trials.
        if experience.told < 2:
            return False
        successful = experience.best(1)
        return bool(successful)

    def _founder(self) -> Proposal:
        """A founder: one that is named, or a random genome."""
        problem = self.problem
        number = self._experience.asked
        names = self.settings.founder_names
        if number < len(names):
            name = names[number]
            genome = problem.seeds[name]
            operator = f"seed {name}"
        else:
            rng = generator(problem.seed, "sample", number)
            genome = unknown(self._experience, lambda: sample(problem.space, rng))
            operator = "sample"
        lineage = Lineage((operator,))
        return Proposal(genome, problem.fidelity, lineage)

    def _proposal_of(self, child: Child) -> Proposal:
        lineage = child.lineage()
        expected = self._experience.expected(child.genome)
        return Proposal(child.genome, self.problem.fidelity, lineage, expected=expected)

    def _child(self) -> Child | None:
        """The next child; None if all that were bred had been proposed before."""
        number = self._experience.asked
        rng = generator(self.problem.seed, "child", number)
        rates = possible(self.problem.space, self._credit.rates)
        best = self._experience.best(PARENTS)
        if number < GUIDED:
            return self._most_promising(best, rng, rates)
        for _ in range(DRAWS):
            child = self._bred(best, rng, rates)
            if not self._experience.knows(child.genome):
                return child
        return None

    def _bred(self, best: Sequence[Trial], rng: np.random.Generator, rates: MutationRates) -> Child:
        """A child of parents among these trials."""
        settings = self.settings
        parents = self._parents(best, rng)
        return bred(self.problem.space, parents, settings.crossover, settings.mutation, rng, rates)

    def _most_promising(
        self, best: Sequence[Trial], rng: np.random.Generator, rates: MutationRates
    ) -> Child | None:
        """The best child of all rounds; None if every one of them was proposed before.

        Args:
            best: trials that may be parents, the best first.
        """
        settings = self.settings
        space = self.problem.space
        children = []
        for _ in range(settings.children):
            children.append(self._bred(best, rng, rates))
        candidates = Candidates(self._experience)
        candidates.add(children)
        for _ in range(ROUNDS):
            roots = candidates.best(PROMISING)
            # Without any new child there is nothing to edit.
            if not roots:
                return None
            further = []
            for i in range(settings.children // 2):
                root = roots[i % len(roots)]
                further.append(root.edited(space, 1, rng, rates))
            candidates.add(further)
        return candidates.best(1)[0]

    def _parents(self, best: Sequence[Trial], rng: np.random.Generator) -> tuple[Trial, ...]:
        """One parent, or two different ones.

        Args:
            best: trials to draw from, the best first.
        """
        count = len(best)
        first = best[drawn_place(count, rng)]
        if rng.random() >= self.settings.crossover.rate:
            return (first,)
        second = best[drawn_place(count, rng)]
        if second.id == first.id:
            return (first,)
        return (first, second)

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._experience.tell(trial)

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: the trials that are parents most often."""
        parents = self._experience.best(PROMISING)
        return [trial.id for trial in parents]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        # A new experience: `restore` counts every trial as asked again.
        self._experience = Experience(self.problem, self.settings.surrogate)
        self._experience.restore(trials)
        self._credit.restore(trials)


def drawn_place(count: int, rng: np.random.Generator) -> int:
    """A place in a ranking of `count`, from 0, with a probability of about one in its rank.

    The logarithm of the rank is uniform. So the best half of any first part of the ranking is
    preferred to the other half in the same way, however many trials there are.
    """
    rank = (count + 1) ** rng.random()
    # Rounding may give a rank beyond the last one.
    return min(int(rank), count) - 1
