"""A basis that a perceptron has learned, and the regression on it.

scikit-learn takes a while to import. So this is a module of its own, which is imported only where
a network is trained.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from evonas.genome import Genome
from evonas.search.surrogate.bayesian_linear import BayesianLinear
from evonas.search.surrogate.features import Features, matrix, vocabulary
from evonas.search.surrogate.surrogate import Fitted, Vector

Matrix = NDArray[np.float64]

STEPS = 30
"""Steps of L-BFGS, at most. A training stops earlier if the loss is flat."""


@dataclass(frozen=True, eq=False)
class Basis:
    """From genomes to the outputs of the last hidden layer.

    Attributes:
        features: features of the search space.
        labels: subtrees that are columns.
        means: means of the columns among the genomes of the training; shape (k,).
        scales: standard deviations of these columns, 1 for constant ones; shape (k,).
        weights: weights of the hidden layers.
        biases: biases of the hidden layers.
    """

    features: Features
    labels: NDArray[np.int64]
    means: Vector
    scales: Vector
    weights: tuple[Matrix, ...]
    biases: tuple[Vector, ...]

    def __call__(self, genomes: Sequence[Genome]) -> Matrix:
        """A constant and the outputs of the last hidden layer; shape (len(genomes), units + 1)."""
        columns = _columns(self.features, genomes, self.labels)
        outputs = (columns - self.means) / self.scales
        layers = zip(self.weights, self.biases, strict=True)
        for weights, biases in layers:
            sums = outputs @ weights + biases
            outputs = np.tanh(sums)
        # The weight of the constant column is the regression's intercept.
        shape = (len(genomes), 1)
        constant = np.ones(shape)
        return np.hstack([constant, outputs])


def trained(
    features: Features,
    genomes: Sequence[Genome],
    values: Vector,
    hidden: tuple[int, ...],
    decay: float,
    rng: np.random.Generator,
) -> Basis:
    """The basis that a perceptron with these hidden layers learns."""
    counts = features.counts(genomes)
    labels = vocabulary(counts)
    columns = _columns(features, genomes, labels)
    means = columns.mean(axis=0)
    scales = columns.std(axis=0)
    # A column that is constant so far may vary in a later genome: it is centred, but not divided.
    scales[scales == 0] = 1.0
    seed = int(rng.integers(2**31))
    network: Any = MLPRegressor(
        hidden_layer_sizes=hidden,
        activation="tanh",
        solver="lbfgs",
        alpha=decay,
        max_iter=STEPS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # The network need not be the best one. A good basis is enough.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit((columns - means) / scales, values)
    # The last weights and biases belong to the output layer, which the regression replaces.
    weights = tuple(network.coefs_[:-1])
    biases = tuple(network.intercepts_[:-1])
    return Basis(features, labels, means, scales, weights, biases)


class FittedBasis(Fitted):
    """The regression on a basis. The predicted deviation is that of the value without noise."""

    def __init__(self, basis: Basis, genomes: Sequence[Genome], values: Vector) -> None:
        self._basis = basis
        self._regression = BayesianLinear(basis(genomes), values)

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        columns = self._basis(genomes)
        return self._regression.predict(columns)


def _columns(features: Features, genomes: Sequence[Genome], labels: NDArray[np.int64]) -> Matrix:
    """The coordinates of the genomes, then their counts of these labels, as rows."""
    points = features.points(genomes)
    counts = features.counts(genomes)
    amounts = matrix(counts, labels)
    return np.hstack([points, amounts])
