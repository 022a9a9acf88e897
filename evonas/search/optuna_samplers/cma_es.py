"""Optuna's CMA-ES (Hansen and Ostermeier, 2001) on the unit cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class CmaEs(OptunaSampler):
    """CMA-ES, whose distribution is computed anew from the trials of each generation.

    Attributes:
        population: number of successful trials that make a generation; null for
            4 + 3 ln(dimensions).
    """

    population: Annotated[int, Ge(2)] | None = None

    word: ClassVar[str] = "cma_es"
    libraries: ClassVar[tuple[str, ...]] = ("optuna", "cmaes")
    generation: ClassVar[str] = "cma:generation"

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import CmaEsSampler
        from optuna.trial import TrialState

        class Rebuilt(CmaEsSampler):
            """Optuna keeps the distribution in the study as a pickle. Here nothing is pickled."""

            def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
                # Optuna's method calls `_init_optimizer`, and does not give it the study.
                states = (TrialState.COMPLETE,)
                self._succeeded = study.get_trials(deepcopy=False, states=states)
                return super().sample_relative(study, trial, search_space)

            def _init_optimizer(self, trans: Any, direction: Any) -> Any:
                made = super()._init_optimizer(trans, direction)
                size = made.population_size
                while True:
                    trials = self._get_solution_trials(self._succeeded, made.generation)
                    if len(trials) < size:
                        return made
                    # The first trials of a generation decide. Later ones may have been asked for
                    # before the generation was complete.
                    first = trials[:size]
                    # `tell` also makes the next generation the current one.
                    made.tell([(trans.transform(one.params), one.value) for one in first])

        return Rebuilt(
            popsize=self.population,
            n_startup_trials=1,
            warn_independent_sampling=False,
            seed=ask.seed,
        )
