"""A Gaussian process that learns how much each decision matters.

Each group of decisions has a length scale of its own (automatic relevance determination; Neal,
1996). `relevances.py` has the mathematics.
"""

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
class Relevance(Surrogate):
    """Hyperparameters are the most likely ones, given the trials and a prior.

    Attributes:
        depth: depth of the subtrees that the Weisfeiler-Lehman kernel counts.
        fitted_on: number of trials, at most: half of them the best, the others the latest.
    """

    depth: Annotated[int, Ge(0), Le(5)] = 2
    # The time of a fit grows with the third power of this number.
    fitted_on: Annotated[int, Ge(10), Le(2000)] = 300

    def tune(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
    ) -> Any:
        # SciPy is slow to import, so only a run that fits a process does it.
        from evonas.search.surrogate import relevances

        return relevances.tuned(features, genomes, values)

    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        from evonas.search.surrogate import relevances

        found = tuned
        if not found:
            found = self.tune(features, genomes, values, rng)
        return relevances.FittedRelevance(features, genomes, values, found)
