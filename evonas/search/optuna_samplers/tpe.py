"""The tree-structured Parzen estimator (Bergstra et al., 2011), multivariate as in Optuna (Falkner et al., 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Tpe(OptunaSampler):
    """Trials that wait count among the worse ones (`constant_liar`), so that proposals asked together keep apart.

    Attributes:
        initial: trials that must have succeeded before it chooses; until then genomes are random.
        candidates: points that are compared for each proposal.
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
            n_startup_trials=0,
            n_ei_candidates=self.candidates,
            multivariate=True,
            group=True,  # parameters that occur together are modelled together
            constant_liar=True,
        )
