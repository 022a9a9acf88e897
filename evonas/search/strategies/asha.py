"""ASHA: successive halving that promotes whom it can at any time, and waits for nobody (Li et al., 2020)."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.search.halving import HalvingSettings, promotion
from evonas.search.rungs import lengths, promotable, source
from evonas.search.sampling import Design
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Fidelity, Lineage, Proposal, Trial, rank


@dataclass(frozen=True)
class AshaSettings(HalvingSettings):
    """The section `strategy.asha` of a config."""


class Asha(Strategy):
    """Promotes the best of those who are among the best 1 / reduction_factor of their rung and have not gone on yet, on
    the highest rung that has any; where there is nobody, a new genome starts on the lowest rung.

    A rung's trials are those that have been told, so that the order of promotions is the same for any number of
    workers. Failures count as a rung's worst, and a genome that comes again does not count.
    """

    Settings = AshaSettings
    sets_epochs = True
    continues_trials = True

    def __init__(self, problem: SearchProblem, settings: AshaSettings) -> None:
        super().__init__(problem, settings)
        self.settings: AshaSettings = settings
        self._epochs = lengths(
            problem.fidelity.epochs, settings.reduction_factor, settings.min_epochs
        )
        self._design = Design(settings.sampler, problem.space, problem.trials, problem.seed)
        self._sampled = 0
        self._going: list[int] = []  # whose promotion is asked and not told
        self._forget()

    def _forget(self) -> None:
        self._rungs: list[list[Trial]] = [[] for _ in self._epochs]  # told, the best first
        self._known: set[tuple[int, str]] = set()  # epochs and genomes of those
        self._trials: dict[int, Trial] = {}
        self._promoted: set[int] = set()  # asked, whether told or not
        self._trained = 0  # told, without twins

    def ask(self, count: int) -> list[Proposal]:
        return [self._propose() for _ in range(count)]

    def _propose(self) -> Proposal:
        for level in range(len(self._epochs) - 2, -1, -1):
            found = promotable(self._rungs[level], self.settings.reduction_factor, self._promoted)
            if found:
                self._promoted.add(found[0])
                self._going.append(found[0])
                return promotion(
                    self._trials[found[0]], Fidelity(self._epochs[level + 1]), level + 1
                )
        self._sampled += 1
        return Proposal(
            self._design[self._sampled - 1], Fidelity(self._epochs[0]), Lineage("sample")
        )

    def tell(self, trial: Trial) -> None:
        self._going = [id for id in self._going if id not in trial.lineage.parents]
        self._admit(trial)

    def _admit(self, trial: Trial) -> None:
        """Onto its rung."""
        self._trained += trial.twin_of is None
        epochs = trial.proposal.fidelity.epochs
        if (epochs, trial.genome.digest) not in self._known:
            self._known.add((epochs, trial.genome.digest))
            bisect.insort(self._rungs[self._epochs.index(epochs)], trial, key=rank)
            self._trials[trial.id] = trial

    @property
    def retained(self) -> frozenset[int]:
        """The ids of told trials whose checkpoints may still be needed: of those that go on, and of those that would be
        among the best of their rung if all the rest of the budget came onto it and were worse.
        """
        found = {source(self._trials[id]) for id in self._going}
        for ranked in self._rungs[:-1]:
            most = len(ranked)
            if self.problem.trials is not None:
                most = (
                    len(ranked) + max(self.problem.trials - self._trained, 0)
                ) // self.settings.reduction_factor
            may = (t for t in ranked[:most] if t.fitness is not None and t.id not in self._promoted)
            found |= {source(trial) for trial in may}
        return frozenset(found)

    def state_dict(self) -> dict[str, Any]:
        return {"sampled": self._sampled, "going": list(self._going)}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        """The rungs are in the trials: a state that named them all would grow with the run."""
        self._sampled, self._going = state["sampled"], list(state["going"])
        self._forget()
        for trial in sorted(trials.values(), key=lambda trial: trial.id):
            self._promoted |= set(trial.lineage.parents)
            if trial.state.is_final:
                self._admit(trial)
        self._promoted |= set(self._going)
