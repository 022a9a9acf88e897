"""Optuna's tree-structured Parzen estimator (TPE) on evonas's genomes.

For each proposal, a new study of Optuna is filled with all trials. A new sampler is asked for a
suggestion, which is turned into a genome. If the genome is known, the sampler is asked again.

Paper: Akiba et al., 2019: Optuna: a next-generation hyperparameter optimization framework. Optuna
keeps one study and one sampler for a whole search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas.errors import UserError
from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.search.known import unknown
from evonas.search.optuna_study.tpe import Tpe
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate.threads import one_thread
from evonas.trial import Lineage, Proposal, Trial

DRAWS = 5
"""Number of suggestions in a row with known genomes, after which a random new one is proposed."""


@dataclass(frozen=True)
class OptunaSettings(StrategySettings):
    """The section `strategy.optuna` of a config.

    Attributes:
        sampler: Optuna's sampler, with its settings; `tpe` is the only one.
    """

    sampler: Tpe = field(default_factory=Tpe)

    def make(self, problem: SearchProblem) -> Strategy:
        return OptunaSearch(problem, self)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        missing = self.sampler.missing()
        return {"sampler": missing} if missing else {}


class OptunaSearch(Strategy):
    """Asks a new sampler about a new study in memory, for each proposal.

    So nothing is remembered that is not in the trials, and the state is one counter. In the study,
    a trial is complete, failed or running. A genome is proposed once, as long as new ones are
    found.
    """

    def __init__(self, problem: SearchProblem, settings: OptunaSettings) -> None:
        super().__init__(problem, settings)
        self.settings: OptunaSettings = settings
        missing = settings.sampler.missing()
        if missing:
            raise UserError(f"The sampler of the strategy optuna {missing}")
        # Imported here: Optuna takes half a second to import, and other strategies do not need it.
        from evonas.search.optuna_study import study, tree

        self._study = study
        self._tree = tree.Tree(problem.space)
        self._asked = 0
        # Trials in Optuna's form, by id.
        self._known: dict[int, Any] = {}
        self._digests: set[str] = set()
        self._succeeded = 0

    def knows(self, genome: Genome) -> bool:
        """Whether this genome was proposed."""
        return genome.digest in self._digests

    def ask(self, count: int) -> list[Proposal]:
        proposals = []
        for _ in range(count):
            proposals.append(self._propose())
        return proposals

    def _propose(self) -> Proposal:
        rng = generator(self.problem.seed, "sample", self._asked)
        genome = None
        # Before enough trials have succeeded, genomes are random.
        if self._succeeded >= self.settings.sampler.initial:
            seed = int(rng.integers(2**31))
            genome = self._suggested(seed)
        lineage = Lineage(("sample" if genome is None else "tpe",))
        if genome is None:
            space = self.problem.space
            genome = unknown(self, lambda: sample(space, rng))
        proposal = Proposal(genome, self.problem.fidelity, lineage)
        trial = Trial(self._asked, proposal)
        self._note(trial)
        self._asked += 1
        return proposal

    def _suggested(self, seed: int) -> Genome | None:
        """The first new genome that the sampler suggests; None if all suggestions are known.

        Args:
            seed: seed of this ask, in [0, 2**31).
        """
        # Trials are told in any order, and the sampler depends on the order.
        known = [self._known[id] for id in sorted(self._known)]
        # One thread: results of linear algebra depend on the number of threads.
        with self._study.quiet(), one_thread():
            sampler = self.settings.sampler.make(seed)
            study = self._study.filled(sampler, known)
            for _ in range(DRAWS):
                # A known suggestion stays in the study as running, so the next one is another.
                genome = self._tree.suggested(study.ask())
                if not self.knows(genome):
                    return genome
        return None

    def tell(self, trial: Trial) -> None:
        self._note(trial)
        if trial.fitness is not None:
            self._succeeded += 1

    def _note(self, trial: Trial) -> None:
        """Remember a trial that is asked or told, in Optuna's form."""
        self._known[trial.id] = self._study.known_trial(self._tree, trial)
        self._digests.add(trial.genome.digest)

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
        self._succeeded = 0
        # Waiting trials too: they have no fitness, and stay in the study as running.
        for trial in trials.values():
            self.tell(trial)
