"""A random forest. Its uncertainty is the disagreement of its trees (Hutter et al., 2011: SMAC).

SMAC has 10 trees, which split only nodes of at least 10 trials. Here are 40, with leaves of one.
SMAC also tries random configurations in between, and races candidates against the incumbent over
several problem instances. Here is neither, and the forest sees counts of subtrees, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

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
        trees: number of trees in the forest.
        share: share of the columns that each split chooses from.
        depth: depth of the subtrees that are counted.
        fitted_on: number of trials, at most: half of them the best, the others the latest.
    """

    trees: Annotated[int, Ge(2), Le(1000)] = 40
    share: Annotated[float, Gt(0), Le(1)] = 0.5
    depth: Annotated[int, Ge(0), Le(5)] = 2
    fitted_on: Annotated[int, Ge(10)] = 1000

    libraries: ClassVar[tuple[str, ...]] = ("scipy", "scikit-learn")

    def fit(
        self,
        features: Features,
        genomes: Sequence[Genome],
        values: Vector,
        rng: np.random.Generator,
        tuned: Any = None,
    ) -> Fitted:
        # The import takes a second, so only a run that fits a forest does it.
        from sklearn.ensemble import RandomForestRegressor

        counts = features.counts(genomes)
        labels = vocabulary(counts)
        columns = _columns(features, genomes, labels)
        seed = int(rng.integers(2**31))
        forest = RandomForestRegressor(
            self.trees,
            max_features=self.share,
            min_samples_leaf=1,
            random_state=seed,
        )
        forest.fit(columns, values)
        return FittedForest(features, labels, forest.estimators_)


class FittedForest(Fitted):
    """The mean of the trees, and the standard deviation between them."""

    def __init__(self, features: Features, labels: NDArray[np.int64], trees: Sequence[Any]) -> None:
        self._features = features
        self._labels = labels
        self._trees = trees

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        columns = _columns(self._features, genomes, self._labels)
        # `tree_`, used below, skips the checks of the estimator. It takes 32-bit floats only.
        narrow = columns.astype(np.float32)
        predictions = []
        for tree in self._trees:
            found = tree.tree_.predict(narrow)
            # The second axis is for forests with several outputs.
            predictions.append(found[:, 0])
        values = np.array(predictions)
        return values.mean(axis=0), values.std(axis=0)


def _columns(
    features: Features, genomes: Sequence[Genome], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The coordinates of the genomes, then their counts of these labels, as rows."""
    points = features.points(genomes)
    counts = features.counts(genomes)
    amounts = matrix(counts, labels)
    return np.hstack([points, amounts])
