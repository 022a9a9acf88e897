"""ASHA: asynchronous successive halving, which waits for no trial.

A genome is first trained for few epochs. Trials of one length stand on one rung. If a trial is
among the best 1 / reduction_factor of its rung, it is promoted: its training continues to the next
rung. A promotion may be asked at any time. If no trial can be promoted, a new genome starts on the
lowest rung.

Paper: Li et al., 2020: A system for massively parallel hyperparameter tuning. There, a trial counts
as soon as it ends. Here, trials are told in the order of proposals, so one that is slow holds back
those after it, unless the config says `deterministic: false`.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.search.halving import HalvingSettings, promotion
from evonas.search.rungs import lengths, promotable
from evonas.search.sampling import Design
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Fidelity, Lineage, Proposal, Trial, rank


@dataclass(frozen=True)
class AshaSettings(HalvingSettings):
    """The section `strategy.asha` of a config."""

    def make(self, problem: SearchProblem) -> Strategy:
        return Asha(problem, self)


class Asha(Strategy):
    """Promotes a trial on the highest rung that has a promotable one, or starts a new genome.

    Only told trials stand on a rung, so the order of promotions is the same for any number of
    workers. Failed trials count as the worst of a rung. A genome that comes again does not count.
    """

    continues_trials = True

    def __init__(self, problem: SearchProblem, settings: AshaSettings) -> None:
        super().__init__(problem, settings)
        self.settings: AshaSettings = settings
        # Epochs of each rung, the lowest first.
        self._epochs = lengths(
            problem.fidelity.epochs,
            settings.reduction_factor,
            settings.min_epochs,
        )
        self._design = Design(
            settings.sampler,
            problem.space,
            problem.trials,
            problem.seed,
        )
        # Number of genomes that were taken from the design.
        self._sampled = 0
        # Trials whose promotion is asked and not told.
        self._going: list[int] = []
        self._forget()

    def _forget(self) -> None:
        """Empty the rungs: the part of the state that is found again in the trials."""
        # Told trials of each rung, the best first.
        self._rungs: list[list[Trial]] = []
        for _ in self._epochs:
            self._rungs.append([])
        # Epochs and genomes of these trials.
        self._known: set[tuple[int, str]] = set()
        self._trials: dict[int, Trial] = {}
        # Trials whose promotion is asked, whether it is told or not.
        self._promoted: set[int] = set()
        # Number of told trials that are no duplicates.
        self._trained = 0

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(count):
            proposals.append(self._propose())
        return proposals

    def _propose(self) -> Proposal:
        factor = self.settings.reduction_factor
        below_top = len(self._epochs) - 1
        # From above, so that trials that are far advanced come first.
        for level in reversed(range(below_top)):
            found = promotable(self._rungs[level], factor, self._promoted)
            if found:
                return self._promote(found[0], level + 1)
        genome = self._design[self._sampled]
        self._sampled += 1
        fidelity = Fidelity(self._epochs[0])
        lineage = Lineage(("sample",))
        return Proposal(genome, fidelity, lineage)

    def _promote(self, id: int, level: int) -> Proposal:
        """The promotion of this trial to the rung with this number."""
        self._promoted.add(id)
        self._going.append(id)
        fidelity = Fidelity(self._epochs[level])
        parent = self._trials[id]
        return promotion(parent, fidelity, level)

    def tell(self, trial: Trial) -> None:
        # A promotion has one parent, the trial that it continues.
        parents = trial.lineage.parents
        self._going = [id for id in self._going if id not in parents]
        self._admit(trial)

    def _admit(self, trial: Trial) -> None:
        """Put a told trial on its rung."""
        if trial.twin_of is None:
            self._trained += 1
        epochs = trial.proposal.fidelity.epochs
        key = (epochs, trial.genome.digest)
        if key in self._known:
            return
        self._known.add(key)
        rung = self._rungs[self._epochs.index(epochs)]
        bisect.insort(rung, trial, key=rank)
        self._trials[trial.id] = trial

    @property
    def retained(self) -> frozenset[int]:
        """The ids of told trials whose checkpoints may still be needed.

        They are the trials that are being promoted, and those that may be promoted later.
        """
        found: set[int] = set()
        for id in self._going:
            trial = self._trials[id]
            found.add(trial.trained_id)
        # The top rung is the full training, which nothing continues.
        for ranked in self._rungs[:-1]:
            most = self._most_promoted(len(ranked))
            for trial in ranked[:most]:
                if trial.fitness is not None and trial.id not in self._promoted:
                    found.add(trial.trained_id)
        return frozenset(found)

    def _most_promoted(self, size: int) -> int:
        """The largest number of trials of a rung that may ever be promoted.

        Args:
            size: number of trials that are on the rung now.
        """
        if self.problem.trials is None:
            return size
        # At most, the whole rest of the budget comes onto this rung, and all of it is worse.
        rest = max(self.problem.trials - self._trained, 0)
        total = size + rest
        return total // self.settings.reduction_factor

    def state_dict(self) -> dict[str, Any]:
        # The rungs are in the trials. A state that named them all would grow with the run.
        return {
            "sampled": self._sampled,
            "going": list(self._going),
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._sampled = state["sampled"]
        self._going = list(state["going"])
        self._forget()
        by_age = sorted(trials.values(), key=lambda trial: trial.id)
        for trial in by_age:
            # Every promotion names the trial that it continues, also while it waits.
            self._promoted |= set(trial.lineage.parents)
            if trial.state.is_final:
                self._admit(trial)
        self._promoted |= set(self._going)
