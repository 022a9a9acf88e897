"""Bayesian optimization with a Gaussian process as the surrogate.

Its kernel compares architectures by the subtrees that they share. `model_based.py` has the search
itself.

Paper: Ru et al., 2021: Interpretable neural architecture search via Bayesian optimisation with
Weisfeiler-Lehman kernels (NAS-BOWL). The idea is theirs, the kernel is not. See
`evonas.search.surrogate.process`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from evonas.search.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import GaussianProcess


@dataclass(frozen=True)
class GaussianProcessSettings(ModelBasedSettings):
    """The section `strategy.gaussian_process` of a config.

    Expected improvement under a Gaussian process.

    Attributes:
        initial: number of random trials at the beginning.
        candidates: number of genomes that are compared for each proposal. A sixth is drawn at
            random, and a sixth comes from the best trials by mutation. The rest comes from the most
            promising of these.
        parents: number of the best trials, and of the most promising candidates, that other
            candidates come from.
        mutation: how candidates are edited; `rate` has no effect here, because there is no
            crossover.
        depth: depth of the subtrees that the Weisfeiler-Lehman kernel counts.
        fitted_on: largest number of trials that are fitted: half of them the best, the others the
            latest. The time of an ask grows with its third power.
    """

    depth: Annotated[int, Ge(0), Le(5)] = 2
    # Each fit decomposes a square matrix of this size, so there is a limit at all.
    fitted_on: Annotated[int, Ge(10), Le(2000)] = 300

    libraries = GaussianProcess.libraries

    def make(self, problem: SearchProblem) -> Strategy:
        surrogate = GaussianProcess(
            self.depth,
            self.fitted_on,
        )
        return ModelBased(problem, self, surrogate)
