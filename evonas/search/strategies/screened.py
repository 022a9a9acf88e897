"""Screening: another strategy proposes many, and a surrogate keeps the promising (pre-selection in surrogate-assisted
evolution; Jin, 2011)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from evonas.genome import Genome
from evonas.search.named import StrategyConfig
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import Experience, GaussianProcess, Surrogate
from evonas.trial import Objective, Proposal, Trial


@dataclass(frozen=True)
class ScreenedSettings:
    """The section `strategy.screened` of a config.

    Attributes:
        inner: the strategy that proposes: `evolution`, `aging` or `random`.
        surrogate: what chooses among its proposals, by expected improvement.
        factor: proposals that are compared for each trial.
        warmup: trials that are told before the surrogate chooses.
    """

    inner: StrategyConfig = field(
        default_factory=lambda: StrategyConfig("evolution", EvolutionSettings())
    )
    surrogate: Surrogate = field(default_factory=GaussianProcess)
    factor: Annotated[int, Ge(2), Le(10_000)] = 50
    warmup: Annotated[int, Ge(2)] = 16

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty where nothing is."""
        if self.inner.kind.has_alternatives:
            return {}
        return {
            "inner": f"{self.inner.name} has no alternatives to choose from; evolution, aging and random have"
        }

    def objective_problems(self, objective: Objective) -> dict[str, str]:
        """What of these settings cannot work with this objective, by key; empty where everything can."""
        return self.inner.objective_problems(objective, "inner")

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        return self.inner.misfits(problem, "inner")


class Screened(Strategy):
    """For each trial, the inner strategy is asked for alternatives, and one of them takes the place of its proposal.

    So it is told of every proposal that it made, and never of one that was dropped. Genomes that were proposed before
    are dropped first.
    """

    Settings = ScreenedSettings

    def __init__(self, problem: SearchProblem, settings: ScreenedSettings) -> None:
        super().__init__(problem, settings)
        self.settings: ScreenedSettings = settings
        self._inner = settings.inner.make(problem)
        self._experience = Experience(problem, settings.surrogate)

    def ask(self, count: int) -> list[Proposal]:
        found: list[Proposal] = []
        while len(found) < count and (options := self._inner.alternatives(self.settings.factor)):
            chosen = self._chosen(options)
            self._inner.ask(1)
            self._experience.ask(chosen.genome)
            found.append(chosen)
        return found

    def _chosen(self, options: list[Proposal]) -> Proposal:
        """The most promising one; of equal ones, and before the surrogate chooses, the first."""
        new: dict[Genome, Proposal] = {}
        for one in options:
            if not self._experience.knows(one.genome):
                new.setdefault(one.genome, one)
        options = list(new.values()) or options[:1]
        if (
            len(options) == 1
            or self._experience.told < self.settings.warmup
            or not self._experience.best(1)
        ):
            return options[0]
        return options[
            int(np.argmax(self._experience.improvement([one.genome for one in options])))
        ]

    def tell(self, trial: Trial) -> None:
        self._inner.tell(trial)
        self._experience.tell(trial)

    @property
    def is_done(self) -> bool:
        return self._inner.is_done

    @property
    def retained(self) -> Collection[int]:
        """See `Strategy`: those of the inner strategy."""
        return self._inner.retained

    def state_dict(self) -> dict[str, Any]:
        return {"inner": self._inner.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._inner.load_state_dict(state["inner"], trials)
        self._experience = Experience(self.problem, self.settings.surrogate)
        self._experience.restore(trials)
