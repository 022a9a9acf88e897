"""Optuna's quasi-random sequences on the unit cube: those of Sobol (1967) and of Halton (1960)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Qmc(OptunaSampler):
    """Attributes:
    sequence: `sobol` or `halton`.
    scramble: whether the run's seed scrambles the sequence; else every run has the same points.
    """

    sequence: Literal["sobol", "halton"] = "sobol"
    scramble: bool = True

    word: ClassVar[str] = "qmc"
    learns: ClassVar[bool] = False

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import QMCSampler

        class Counted(QMCSampler):
            """Optuna counts the points in an attribute of the study, and draws the first one at random; here, the
            points of a run are those of the sequence, by their numbers."""

            next = ask.number

            def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
                return dict(ask.cube)

            def _find_sample_id(self, study: Any, search_space: Any) -> int:
                self.next += 1
                return self.next - 1

        return Counted(qmc_type=self.sequence, scramble=self.scramble, seed=ask.run_seed)
