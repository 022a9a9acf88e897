"""Independent uniform points, drawn by Optuna: for comparisons with its other samplers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Independent(OptunaSampler):
    """Optuna's `random` on the unit cube, which is the prior of all of evonas."""

    word: ClassVar[str] = "random"
    learns: ClassVar[bool] = False

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=ask.seed)
