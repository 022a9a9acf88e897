"""Model-based search: each proposal is the genome of which a surrogate expects most (Mockus, 1978; Jones et al., 1998).

What the strategies `gaussian_process` and `forest` share; they differ in the surrogate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.known import unknown
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import Experience, Surrogate
from evonas.search.variation import Mutation, edited
from evonas.trial import Lineage, Proposal, Trial

ROUNDS = 3
"""Rounds of candidates: those of each but the first are edits of the most promising ones before."""


@dataclass(frozen=True)
class ModelBasedSettings:
    """What such strategies have in common.

    Attributes:
        initial: random trials at the beginning.
        candidates: genomes that are compared for each proposal. Half of them stem from the best trials by mutation, the
            others are drawn at random; the most promising are edited further.
        parents: the best trials so many of which candidates stem from.
        mutation: how candidates are edited; `rate` is of no effect here, for there is no crossover.
    """

    initial: Annotated[int, Ge(2)] = 10
    candidates: Annotated[int, Ge(4)] = 200
    parents: Annotated[int, Ge(1)] = 10
    mutation: Mutation = field(default_factory=lambda: Mutation(edits=2))

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        wrong = self.mutation.operators_problem()
        return {"mutation.operators": wrong} if wrong else {}


@dataclass(frozen=True)
class Candidate:
    """A genome that may be proposed, and how it came about."""

    genome: Genome
    words: tuple[str, ...] = ("sample",)
    parents: tuple[int, ...] = ()


class ModelBased(Strategy):
    """Never waits: what is asked and not told counts as predicted, so that proposals asked together keep apart.

    A genome is proposed once, as long as others are found. The state is one counter, for everything else is a function
    of the trials.
    """

    def __init__(
        self, problem: SearchProblem, settings: ModelBasedSettings, surrogate: Surrogate
    ) -> None:
        super().__init__(problem, settings)
        self.settings: ModelBasedSettings = settings
        self._surrogate = surrogate
        self._experience = Experience(problem, surrogate)
        self._credit = settings.mutation.credit()

    def ask(self, count: int) -> list[Proposal]:
        return [self._propose() for _ in range(count)]

    def _propose(self) -> Proposal:
        know = self._experience
        rng = generator(self.problem.seed, "child", know.asked)
        is_initial = know.asked < self.settings.initial or know.told < 2 or not know.best(1)
        chosen = None if is_initial else self._most_promising(rng)
        if chosen is None:
            chosen = Candidate(unknown(know, lambda: sample(self.problem.space, rng)))
        know.ask(chosen.genome)
        return Proposal(
            chosen.genome, self.problem.fidelity, Lineage("+".join(chosen.words), chosen.parents)
        )

    def _most_promising(self, rng: np.random.Generator) -> Candidate | None:
        """The best of all rounds of candidates; None where every candidate was proposed before."""
        each = -(-self.settings.candidates // ROUNDS)
        parents = self._experience.best(self.settings.parents)
        roots = [Candidate(trial.genome, (), (trial.id,)) for trial in parents]
        drawn = [Candidate(sample(self.problem.space, rng)) for _ in range(each // 2)]
        found = self._new([*drawn, *self._edits(roots, each - each // 2, rng)], {})
        for _ in range(ROUNDS - 1):
            found = self._new(
                self._edits(self._ranked(found)[: self.settings.parents], each, rng), found
            )
        return next(iter(self._ranked(found)), None)

    def _edits(
        self, roots: Sequence[Candidate], count: int, rng: np.random.Generator
    ) -> list[Candidate]:
        """So many children of these, of each as many; each with one or more edits."""
        children = []
        for i in range(count if roots else 0):
            root, words = roots[i % len(roots)], list[str]()
            edits = int(rng.integers(1, self.settings.mutation.edits + 1))
            genome = edited(self.problem.space, root.genome, edits, words, rng, self._credit.rates)
            children.append(Candidate(genome, (*root.words, *words), root.parents))
        return children

    def _new(
        self, candidates: Sequence[Candidate], found: Mapping[str, Candidate]
    ) -> dict[str, Candidate]:
        """What was found, and what of these is neither among it nor proposed before; by digest."""
        new = {
            one.genome.digest: one for one in candidates if not self._experience.knows(one.genome)
        }
        return {**new, **found}

    def _ranked(self, found: Mapping[str, Candidate]) -> list[Candidate]:
        """The most promising first; of equal ones the one that was found first."""
        candidates = list(found.values())
        if not candidates:
            return []
        order = np.argsort(
            -self._experience.improvement([one.genome for one in candidates]), kind="stable"
        )
        return [candidates[i] for i in order]

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._experience.tell(trial)

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: the best, which candidates stem from."""
        return [trial.id for trial in self._experience.best(self.settings.parents)]

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._experience.asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._experience = Experience(self.problem, self._surrogate)
        self._experience.restore(trials)
        self._credit.restore(trials)
