"""Model-based search: each proposal is the genome with the largest expected improvement.

A surrogate is a model that predicts the fitness of a genome. At first, trials are random. Then, for
each proposal, the surrogate is fitted to the known trials and compares many candidates.

Papers: Mockus, 1978; Jones et al., 1998. They improve on the objective. Here, it is taken by rank,
so the improvement is one of normal scores.
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
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate import Experience, GaussianProcess, Surrogate
from evonas.search.variation import Mutation, edited
from evonas.trial import Lineage, Proposal, Trial

ROUNDS = 3
"""Rounds of candidates. After the first, a round edits the most promising candidates so far."""


@dataclass(frozen=True)
class ModelBasedSettings(StrategySettings):
    """The section `strategy.model_based` of a config.

    Attributes:
        surrogate: model that predicts the fitness of the candidates.
        initial: number of random trials at the beginning.
        candidates: number of genomes that are compared for each proposal. A sixth is drawn at
            random, and a sixth comes from the best trials by mutation. The rest comes from the most
            promising of these.
        parents: number of the best trials, and of the most promising candidates, that other
            candidates come from.
        mutation: how candidates are edited; `rate` has no effect here, because there is no
            crossover.
    """

    surrogate: Surrogate = field(default_factory=GaussianProcess)
    initial: Annotated[int, Ge(2)] = 10
    candidates: Annotated[int, Ge(4)] = 200
    parents: Annotated[int, Ge(1)] = 10
    mutation: Mutation = field(default_factory=lambda: Mutation(edits=2))

    def make(self, problem: SearchProblem) -> Strategy:
        return ModelBased(problem, self)

    def problems(self) -> dict[str, str]:
        wrong = self.mutation.operators_problem()
        return {"mutation.operators": wrong} if wrong else {}


@dataclass(frozen=True)
class Candidate:
    """A genome that may be proposed.

    Attributes:
        words: words of the operators that made it.
        parents: id of the trial that it comes from; empty for a random genome.
    """

    genome: Genome
    words: tuple[str, ...] = ("sample",)
    parents: tuple[int, ...] = ()


class ModelBased(Strategy):
    """Never waits: the surrogate believes its own prediction of a trial that is not told yet.

    So proposals that are asked together keep apart. A genome is proposed once, as long as new ones
    are found. There is no state, because everything is a function of the trials.
    """

    def __init__(self, problem: SearchProblem, settings: ModelBasedSettings) -> None:
        super().__init__(problem, settings)
        self.settings: ModelBasedSettings = settings
        self._experience = Experience(problem, settings.surrogate)
        self._credit = settings.mutation.credit()

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(count):
            proposals.append(self._propose())
        return proposals

    def _propose(self) -> Proposal:
        experience = self._experience
        rng = generator(self.problem.seed, "child", experience.asked)
        chosen = None
        if self._can_predict():
            chosen = self._most_promising(rng)
        if chosen is None:
            space = self.problem.space
            genome = unknown(experience, lambda: sample(space, rng))
            chosen = Candidate(genome)
        expected = experience.expected(chosen.genome)
        # The experience must know this proposal before the next one is chosen.
        experience.ask(chosen.genome)
        lineage = Lineage(chosen.words, chosen.parents)
        return Proposal(chosen.genome, self.problem.fidelity, lineage, expected=expected)

    def _can_predict(self) -> bool:
        """Whether the initial trials are asked and enough of them are told."""
        experience = self._experience
        if experience.asked < self.settings.initial:
            return False
        # A surrogate cannot be fitted to less than two trials.
        if experience.told < 2:
            return False
        # Candidates come from successful trials.
        successful = experience.best(1)
        return bool(successful)

    def _most_promising(self, rng: np.random.Generator) -> Candidate | None:
        """The best candidate of all rounds; None if every candidate was proposed before."""
        # Rounded up, so that all rounds together have at least `candidates` genomes.
        each = -(-self.settings.candidates // ROUNDS)
        half = each // 2
        drawn = []
        for _ in range(half):
            genome = sample(self.problem.space, rng)
            drawn.append(Candidate(genome))
        children = self._edits(self._roots(), each - half, rng)
        found = self._new([*drawn, *children], {})
        for _ in range(ROUNDS - 1):
            roots = self._ranked(found)[: self.settings.parents]
            children = self._edits(roots, each, rng)
            found = self._new(children, found)
        ranked = self._ranked(found)
        return ranked[0] if ranked else None

    def _roots(self) -> list[Candidate]:
        """The best trials, as candidates to edit."""
        roots = []
        for trial in self._experience.best(self.settings.parents):
            # No words: a child has the words of its own edits only.
            root = Candidate(trial.genome, (), (trial.id,))
            roots.append(root)
        return roots

    def _edits(
        self, roots: Sequence[Candidate], count: int, rng: np.random.Generator
    ) -> list[Candidate]:
        """Edited copies of these roots, `count` in all, divided equally among the roots."""
        children: list[Candidate] = []
        if not roots:
            return children
        space = self.problem.space
        most = self.settings.mutation.edits
        rates = self._credit.rates
        for i in range(count):
            root = roots[i % len(roots)]
            words: list[str] = []
            edits = int(rng.integers(1, most + 1))
            genome = edited(space, root.genome, edits, words, rng, rates)
            all_words = (*root.words, *words)
            child = Candidate(genome, all_words, root.parents)
            children.append(child)
        return children

    def _new(
        self, candidates: Sequence[Candidate], found: Mapping[str, Candidate]
    ) -> dict[str, Candidate]:
        """The found candidates and the new ones of these, by digest; the new ones come first."""
        new: dict[str, Candidate] = {}
        for candidate in candidates:
            genome = candidate.genome
            if not self._experience.knows(genome):
                new[genome.digest] = candidate
        # If a genome is found again, the candidate that was found first stays.
        return {**new, **found}

    def _ranked(self, found: Mapping[str, Candidate]) -> list[Candidate]:
        """The candidates, the most promising first; equal ones keep their order."""
        candidates = list(found.values())
        if not candidates:
            return []
        genomes = [candidate.genome for candidate in candidates]
        improvement = self._experience.improvement(genomes)
        # Without "stable", the order of equal candidates could depend on the machine.
        order = np.argsort(-improvement, kind="stable")
        return [candidates[i] for i in order]

    def tell(self, trial: Trial) -> None:
        self._credit.tell(trial)
        self._experience.tell(trial)

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: the best trials, which candidates come from."""
        parents = self._experience.best(self.settings.parents)
        return [trial.id for trial in parents]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        # A new experience: `restore` counts every trial as asked again.
        self._experience = Experience(self.problem, self.settings.surrogate)
        self._experience.restore(trials)
        self._credit.restore(trials)
