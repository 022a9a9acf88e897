"""A basis that a perceptron has learned, and the regression on it.

A module of its own, for scikit-learn takes a while to import: only where a network is trained.
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
"""Of L-BFGS, at most: a training stops where the loss is flat, or here."""


@dataclass(frozen=True, eq=False)
class Basis:
    """From genomes to the outputs of the last hidden layer.

    Attributes:
        labels: the subtrees that are columns.
        means, scales: of the columns among the genomes that it was trained on; shape (k,).
        weights, biases: of the hidden layers.
    """

    features: Features
    labels: NDArray[np.int64]
    means: Vector
    scales: Vector
    weights: tuple[Matrix, ...]
    biases: tuple[Vector, ...]

    def __call__(self, genomes: Sequence[Genome]) -> Matrix:
        """A constant, and the outputs of the last hidden layer; shape (len(genomes), units + 1)."""
        found = (_columns(self.features, genomes, self.labels) - self.means) / self.scales
        for weights, biases in zip(self.weights, self.biases, strict=True):
            found = np.tanh(found @ weights + biases)
        return np.hstack([np.ones((len(genomes), 1)), found])


def trained(
    features: Features,
    genomes: Sequence[Genome],
    values: Vector,
    hidden: tuple[int, ...],
    decay: float,
    rng: np.random.Generator,
) -> Basis:
    """The basis that a perceptron with these hidden layers learns."""
    labels = vocabulary(features.counts(genomes))
    columns = _columns(features, genomes, labels)
    means, scales = columns.mean(axis=0), columns.std(axis=0)
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
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # it need not be the best network, only a good basis
        network.fit((columns - means) / scales, values)
    return Basis(
        features, labels, means, scales, tuple(network.coefs_[:-1]), tuple(network.intercepts_[:-1])
    )


class FittedBasis(Fitted):
    """The regression on a basis; its doubt is about the value without noise."""

    def __init__(self, basis: Basis, genomes: Sequence[Genome], values: Vector) -> None:
        self._basis = basis
        self._regression = BayesianLinear(basis(genomes), values)

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        return self._regression.predict(self._basis(genomes))


def _columns(features: Features, genomes: Sequence[Genome], labels: NDArray[np.int64]) -> Matrix:
    return np.hstack([features.points(genomes), matrix(features.counts(genomes), labels)])
