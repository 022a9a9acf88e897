"""Optuna's samplers on evonas's genomes, above all its tree-structured Parzen estimator (TPE).

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
from evonas.search.optuna_samplers import OptunaSampler, Tpe
from evonas.search.optuna_samplers.sampler import Ask
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate.threads import one_thread
from evonas.trial import Lineage, Proposal, Trial

DRAWS = 5
"""Number of suggestions in a row with known genomes, after which a random new one is proposed."""


@dataclass(frozen=True)
class OptunaSettings(StrategySettings):
    """The section `strategy.optuna` of a config.

    Attributes:
        sampler: which of Optuna's samplers chooses, with its settings.
    """

    sampler: OptunaSampler = field(default_factory=Tpe)

    def make(self, problem: SearchProblem) -> Strategy:
        return OptunaSearch(problem, self)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        missing = self.sampler.missing()
        return {"sampler": missing} if missing else {}


class OptunaSearch(Strategy):
    """Asks a new sampler about a new study in memory, for each proposal.

    So nothing is remembered that is not in the trials, and the state is one counter. In the study,
    a trial is complete, failed or running. A genome is proposed once, as long as new ones are
    found. If the sampler counts generations, a trial's generation is the one in its lineage.
    """

    def __init__(self, problem: SearchProblem, settings: OptunaSettings) -> None:
        super().__init__(problem, settings)
        self.settings: OptunaSettings = settings
        missing = settings.sampler.missing()
        if missing:
            raise UserError(f"The sampler of the strategy optuna {missing}")
        # Imported here: Optuna takes half a second to import, and other strategies do not need it.
        from evonas.search.optuna_samplers import study, view

        self._study = study
        kind = view.Tree if settings.sampler.is_conditional else view.Cube
        self._view = kind(problem.space)
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
        lineage = Lineage("sample")
        # Before enough trials have succeeded, genomes are random.
        if self._succeeded >= self.settings.sampler.startup:
            seed = int(rng.integers(2**31))
            genome, lineage = self._suggested(seed)
        if genome is None:
            space = self.problem.space
            genome = unknown(self, lambda: sample(space, rng))
        proposal = Proposal(genome, self.problem.fidelity, lineage)
        trial = Trial(self._asked, proposal)
        self._note(trial)
        self._asked += 1
        return proposal

    def _suggested(self, seed: int) -> tuple[Genome | None, Lineage]:
        """The first new genome that the sampler suggests, and its lineage.

        The genome is None if all suggestions are known.

        Args:
            seed: seed of this ask, in [0, 2**31).
        """
        run_rng = generator(self.problem.seed, "sample")
        run_seed = int(run_rng.integers(2**31))
        ask = Ask(
            self._asked,
            seed,
            run_seed,
            self._view.cube,
        )
        # One thread: results of linear algebra depend on the number of threads.
        with self._study.quiet(), one_thread():
            sampler = self.settings.sampler.make(ask)
            study = self._study.filled(sampler, self._shown())
            for _ in range(DRAWS):
                # A known suggestion stays in the study as running, so the next one is another.
                trial = study.ask()
                genome = self._view.suggested(trial)
                if not self.knows(genome):
                    # Only the study's frozen trial shows the attributes that the sampler has noted.
                    noted = study.get_trials(deepcopy=False)[trial.number].system_attrs
                    return genome, self._lineage(noted)
        return None, Lineage("sample")

    def _shown(self) -> list[Any]:
        """The trials that the sampler sees, in the order of proposals."""
        sampler = self.settings.sampler
        if not sampler.learns:
            return []
        shown = []
        # Trials are told in any order, and samplers may depend on the order.
        for id in sorted(self._known):
            trial = self._known[id]
            if trial.state.is_finished() or sampler.minds_waiting:
                shown.append(trial)
        return shown

    def _lineage(self, noted: Mapping[str, Any]) -> Lineage:
        """The lineage of a suggestion.

        Args:
            noted: attributes that the sampler has noted in the suggestion's trial.
        """
        sampler = self.settings.sampler
        if not sampler.generation:
            return Lineage(sampler.word)
        # The sampler has drawn at random, because it knows too little.
        if sampler.generation not in noted:
            return Lineage("sample")
        return Lineage(sampler.word, (), noted[sampler.generation])

    def tell(self, trial: Trial) -> None:
        self._note(trial)
        if trial.fitness is not None:
            self._succeeded += 1

    def _note(self, trial: Trial) -> None:
        """Remember a trial that is asked or told, in Optuna's form."""
        key = self.settings.sampler.generation
        lineage = trial.lineage
        attributes: dict[str, Any] = {}
        if key and lineage.operator != "sample":
            attributes[key] = lineage.generation
        known = self._study.known_trial(self._view, trial, attributes)
        self._known[trial.id] = known
        self._digests.add(trial.genome.digest)

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self._asked}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._asked = state["asked"]
        self._succeeded = 0
        # Waiting trials too: they have no fitness, and stay in the study as running.
        for trial in trials.values():
            self.tell(trial)
