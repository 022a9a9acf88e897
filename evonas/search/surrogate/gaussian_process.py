"""A Gaussian process with a kernel on the architecture's graph and one on its numbers (Ru et al., 2021: NAS-BOWL)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from evonas.genome import Genome
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.surrogate import Fitted, Surrogate, Vector


@dataclass(frozen=True)
class GaussianProcess(Surrogate):
    """Hyperparameters are those of the greatest marginal likelihood; the variance among them has a closed form.

    Attributes:
        depth: of the subtrees that the Weisfeiler-Lehman kernel counts.
        fitted_on: trials at most: half of them the best, the others the latest.
    """

    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10), Le(2000)] = 300

    def tune(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
    ) -> Any:
        from evonas.search.surrogate import process  # scipy: only where a process is fitted

        return process.tuned(features, genomes, values)

    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        from evonas.search.surrogate import process

        return process.FittedProcess(
            features, genomes, values, tuned or self.tune(features, genomes, values, rng)
        )
