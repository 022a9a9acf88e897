"""Screening: another strategy proposes many genomes, and a surrogate chooses among them.

For each trial, the inner strategy is asked for alternatives. A surrogate, a model that predicts the
fitness of a genome, chooses the one with the largest expected improvement. Only that one is
trained.

Paper: Jin, 2011: Surrogate-assisted evolutionary computation (there: pre-selection). It is a survey
and names no one algorithm. Here, the choice is made by expected improvement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from evonas.genome import Genome
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.wrapping import Wrapping, WrappingSettings
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.search.surrogate import Experience, GaussianProcess, NoGuide, Surrogate
from evonas.trial import Proposal, Trial

HAVE_SOME = "evolution without a guide (`guide: none`), aging and random"
"""The strategies of evonas that have alternatives."""


@dataclass(frozen=True)
class ScreenedSettings(WrappingSettings):
    """The section `strategy.screened` of a config.

    Attributes:
        inner: strategy that proposes: `evolution` without a guide, `aging` or `random`.
        surrogate: model that chooses among the proposals, by expected improvement.
        factor: number of proposals that are compared for each trial.
        warmup: number of trials that are told before the surrogate chooses.
    """

    inner: StrategySettings = field(default_factory=lambda: EvolutionSettings(guide=NoGuide()))
    surrogate: Surrogate = field(default_factory=GaussianProcess)
    factor: Annotated[int, Ge(2), Le(10_000)] = 50
    warmup: Annotated[int, Ge(2)] = 16

    def make(self, problem: SearchProblem) -> Strategy:
        return Screened(problem, self)

    def problems(self) -> dict[str, str]:
        if self.inner.has_alternatives:
            return {}
        return {"inner": f"has no alternatives to choose from; {HAVE_SOME} have"}


class Screened(Wrapping):
    """For each trial, one alternative of the inner strategy takes the place of its proposal.

    So the inner strategy is told one trial for each of its proposals. It never hears of the other
    alternatives. Alternatives with known genomes are dropped before the surrogate chooses.
    """

    def __init__(self, problem: SearchProblem, settings: ScreenedSettings) -> None:
        super().__init__(problem, settings, settings.inner.make(problem))
        self.settings: ScreenedSettings = settings
        self._experience = Experience(problem, settings.surrogate)

    def ask(self, count: int) -> list[Proposal]:
        found: list[Proposal] = []
        while len(found) < count:
            options = self._inner.alternatives(self.settings.factor)
            # No alternatives: the inner strategy waits for a tell.
            if not options:
                break
            chosen = self._chosen(options)
            # Its own proposal is thrown away, but the inner strategy must count it.
            self._inner.ask(1)
            self._experience.ask(chosen.genome)
            found.append(chosen)
        return found

    def _chosen(self, options: list[Proposal]) -> Proposal:
        """The most promising alternative; of equal ones the first.

        It is the first one of all, if the surrogate does not choose yet.
        """
        new: dict[Genome, Proposal] = {}
        for option in options:
            genome = option.genome
            if not self._experience.knows(genome):
                new.setdefault(genome, option)
        # If all genomes are known, the trial is a duplicate, which costs nothing.
        if not new:
            return options[0]
        options = list(new.values())
        if len(options) == 1 or not self._can_predict():
            return options[0]
        improvement = self._experience.improvement(list(new))
        best = options[int(np.argmax(improvement))]
        return replace(best, expected=self._experience.expected(best.genome))

    def _can_predict(self) -> bool:
        """Whether enough trials are told, and one of them succeeded."""
        experience = self._experience
        if experience.told < self.settings.warmup:
            return False
        successful = experience.best(1)
        return bool(successful)

    def tell(self, trial: Trial) -> None:
        super().tell(trial)
        self._experience.tell(trial)

    def state_dict(self) -> dict[str, Any]:
        # The experience is a function of the trials, so it is not in the state.
        return {"inner": self._inner.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._inner.load_state_dict(state["inner"], trials)
        # A new experience: `restore` counts every trial as asked again.
        surrogate = self.settings.surrogate
        self._experience = Experience(self.problem, surrogate)
        self._experience.restore(trials)
