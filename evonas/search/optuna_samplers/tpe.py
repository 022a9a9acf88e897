"""The tree-structured Parzen estimator (Bergstra et al., 2011), multivariate as in Optuna (Falkner
et al., 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Tpe(OptunaSampler):
    """Models the better and the worse trials, and suggests what is typical of the better ones.

    Attributes:
        initial: number of trials that must have succeeded before the sampler chooses. Until then
            genomes are random.
        candidates: number of points that are compared for each proposal.
    """

    initial: Annotated[int, Ge(1)] = 10
    candidates: Annotated[int, Ge(1)] = 24

    word: ClassVar[str] = "tpe"
    minds_waiting: ClassVar[bool] = True
    is_conditional: ClassVar[bool] = True

    @property
    def startup(self) -> int:
        return self.initial

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import TPESampler

        return TPESampler(
            seed=ask.seed,
            # `startup` already waits for the first trials.
            n_startup_trials=0,
            n_ei_candidates=self.candidates,
            multivariate=True,
            # Parameters that occur together are modelled together.
            group=True,
            # Trials that wait count among the worse ones, so that proposals asked for together
            # keep apart.
            constant_liar=True,
        )
