"""A random forest, whose doubt is the disagreement of its trees (Hutter et al., 2011: SMAC)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from evonas.genome import Genome
from evonas.search.surrogate.features import Features, matrix, vocabulary
from evonas.search.surrogate.surrogate import Fitted, Surrogate, Vector


@dataclass(frozen=True)
class Forest(Surrogate):
    """Regression trees on the coordinates of the unit cube and the counts of subtrees.

    Attributes:
        trees: in the forest.
        share: of the columns that each split chooses from.
        depth: of the subtrees that are counted.
        fitted_on: trials at most: half of them the best, the others the latest.
    """

    trees: Annotated[int, Ge(2), Le(1000)] = 40
    share: Annotated[float, Gt(0), Le(1)] = 0.5
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000

    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        from sklearn.ensemble import (
            RandomForestRegressor,
        )  # a second: only where a forest is fitted

        labels = vocabulary(features.counts(genomes))
        seed = int(rng.integers(2**31))
        forest = RandomForestRegressor(
            self.trees, max_features=self.share, min_samples_leaf=1, random_state=seed
        )
        forest.fit(_columns(features, genomes, labels), values)
        return FittedForest(features, labels, forest.estimators_)


class FittedForest(Fitted):
    """The mean of the trees, and the standard deviation between them."""

    def __init__(self, features: Features, labels: NDArray[np.int64], trees: Sequence[Any]) -> None:
        self._features, self._labels, self._trees = features, labels, trees

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        columns = _columns(self._features, genomes, self._labels).astype(np.float32)
        found = np.array([tree.tree_.predict(columns)[:, 0] for tree in self._trees])
        return found.mean(axis=0), found.std(axis=0)


def _columns(
    features: Features, genomes: Sequence[Genome], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    return np.hstack([features.points(genomes), matrix(features.counts(genomes), labels)])
