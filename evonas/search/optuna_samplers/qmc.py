"""Optuna's quasi-random sequences on the unit cube: those of Sobol (1967) and of Halton (1960)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Qmc(OptunaSampler):
    """The points of a sequence, in its order.

    Attributes:
        sequence: `sobol` or `halton`.
        scramble: whether the run's seed scrambles the sequence. Otherwise every run has the same
            points.
    """

    sequence: Literal["sobol", "halton"] = "sobol"
    scramble: bool = True

    word: ClassVar[str] = "qmc"
    # Optuna takes the points from SciPy.
    libraries: ClassVar[tuple[str, ...]] = ("optuna", "scipy")
    learns: ClassVar[bool] = False

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import QMCSampler

        class Counted(QMCSampler):
            """A sampler whose points are those of the sequence, by the numbers of the trials."""

            next = ask.number

            def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
                # Optuna learns the space from the first trial, which it draws at random.
                return dict(ask.cube)

            def _find_sample_id(self, study: Any, search_space: Any) -> int:
                # Optuna counts in an attribute of the study, but the study is new for each ask.
                number = self.next
                self.next += 1
                return number

        # The seed of the run, not of this ask: all points belong to one scrambled sequence.
        return Counted(qmc_type=self.sequence, scramble=self.scramble, seed=ask.run_seed)
