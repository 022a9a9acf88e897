"""Optuna's samplers on evonas's genomes (Akiba et al., 2019), above all its tree-structured Parzen estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas.errors import UserError
from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.known import unknown
from evonas.search.optuna_samplers import OptunaSampler, Tpe
from evonas.search.optuna_samplers.sampler import Ask
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate.threads import one_thread
from evonas.trial import Lineage, Proposal, Trial

DRAWS = 5
"""Suggestions in a row of known genomes, after which a random new one is proposed."""


@dataclass(frozen=True)
class OptunaSettings:
    """The section `strategy.optuna` of a config.

    Attributes:
        sampler: which of Optuna's samplers chooses, with its settings.
    """

    sampler: OptunaSampler = field(default_factory=Tpe)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings cannot work here, by key; empty where everything can."""
        missing = self.sampler.missing()
        return {"sampler": missing} if missing else {}


class OptunaSearch(Strategy):
    """Each ask fills a new study in memory with the trials (complete, failed, or running; in the order of proposals),
    and asks a new sampler.

    So nothing is remembered that is not in the trials, and the state is one counter. A trial's generation, where the
    sampler counts generations, is that of its lineage. A genome is proposed once, as long as others are found: while a
    suggestion is known, it stays in the study as running, and the next one is asked for.
    """

    Settings = OptunaSettings

    def __init__(self, problem: SearchProblem, settings: OptunaSettings) -> None:
        super().__init__(problem, settings)
        self.settings: OptunaSettings = settings
        if missing := settings.sampler.missing():
            raise UserError(f"The sampler of the strategy optuna {missing}")
        from evonas.search.optuna_samplers import (
            study,
            view,
        )  # half a second: only where Optuna is used

        self._study = study
        self._view = (view.Tree if settings.sampler.is_conditional else view.Cube)(problem.space)
        self._asked = 0
        self._known: dict[int, Any] = {}  # as Optuna sees them, by id
        self._digests: set[str] = set()
        self._succeeded = 0

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""
        return genome.digest in self._digests

    def ask(self, count: int) -> list[Proposal]:
        return [self._propose() for _ in range(count)]

    def _propose(self) -> Proposal:
        rng = generator(self.problem.seed, "sample", self._asked)
        genome, lineage = None, Lineage("sample")
        if self._succeeded >= self.settings.sampler.startup:
            genome, lineage = self._suggested(int(rng.integers(2**31)))
        if genome is None:
            genome = unknown(self, lambda: sample(self.problem.space, rng))
        proposal = Proposal(genome, self.problem.fidelity, lineage)
        self._note(Trial(self._asked, proposal))
        self._asked += 1
        return proposal

    def _suggested(self, seed: int) -> tuple[Genome | None, Lineage]:
        """The first new genome that the sampler suggests, and its lineage; None where all are known."""
        sampler = self.settings.sampler
        run_seed = int(generator(self.problem.seed, "sample").integers(2**31))
        with self._study.quiet(), one_thread():
            made = sampler.make(Ask(self._asked, seed, run_seed, self._view.cube))
            study = self._study.filled(made, self._shown())
            for _ in range(DRAWS):
                trial = study.ask()
                genome = self._view.suggested(trial)
                if not self.knows(genome):
                    noted = study.get_trials(deepcopy=False)[trial.number].system_attrs
                    return genome, self._lineage(noted)
        return None, Lineage("sample")

    def _shown(self) -> list[Any]:
        """The trials that the sampler sees, in the order of proposals."""
        sampler = self.settings.sampler
        known = [self._known[id] for id in sorted(self._known)] if sampler.learns else []
        return [one for one in known if one.state.is_finished() or sampler.minds_waiting]

    def _lineage(self, noted: Mapping[str, Any]) -> Lineage:
        """The lineage of a suggestion, for which the sampler has noted these attributes."""
        sampler = self.settings.sampler
        if not sampler.generation:
            return Lineage(sampler.word)
        if sampler.generation not in noted:  # it has drawn at random, for it knows too little
            return Lineage("sample")
        return Lineage(sampler.word, (), noted[sampler.generation])

    def tell(self, trial: Trial) -> None:
        self._note(trial)
        self._succeeded += trial.fitness is not None

    def _note(self, trial: Trial) -> None:
        """A trial is asked or told."""
        key, lineage = self.settings.sampler.generation, trial.lineage
        attributes = {key: lineage.generation} if key and lineage.operator != "sample" else {}
        self._known[trial.id] = self._study.known_trial(self._view, trial, attributes)
        self._digests.add(trial.genome.digest)

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
        for trial in trials.values():
            self._note(trial)
        self._succeeded = sum(trial.fitness is not None for trial in trials.values())
