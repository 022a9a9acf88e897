"""The mathematics of Gaussian processes on genomes: kernels, posterior, marginal likelihood.

A module of its own, for scipy takes a while to import: only where a process is fitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize
from scipy.spatial import distance

from evonas.genome import Genome
from evonas.search.surrogate.features import Features, matrix, vocabulary
from evonas.search.surrogate.surrogate import Fitted, Vector

Matrix = NDArray[np.float64]

_START = np.array([0.0, 0.0, -1.0, -4.0])
_BOUNDS = ((-5.0, 5.0), (-2.0, 4.0), (-4.0, 3.0), (-9.0, 1.0))
"""Of the logit of the share, and of the logarithms of the two scales and of the noise."""


@dataclass(frozen=True)
class Hyperparameters:
    """Of the kernel: variance x (share x graph + (1 - share) x numbers), and variance x noise on the diagonal.

    Attributes:
        share: of the graph's kernel, in [0, 1].
        graph_scale: length scale on the graph, in units of the distance of normalised counts, which is at most 1.42.
        scale: length scale on the numbers, in units of the root mean square difference of coordinates.
        noise: relative to the variance.
    """

    share: float
    graph_scale: float
    scale: float
    noise: float


def tuned(features: Features, genomes: Sequence[Genome], values: Vector) -> Hyperparameters:
    """The hyperparameters of the greatest marginal likelihood that a local search (L-BFGS-B) finds from one start, so
    that equal trials give equal ones."""
    graph, numbers = _View(features, genomes).distances(genomes)
    centred = values - values.mean()

    def loss(point: Vector) -> float:
        found = _unpacked(point)
        return _negative_likelihood(_kernel(graph, numbers, found), found.noise, centred)

    best = optimize.minimize(
        loss, _START, method="L-BFGS-B", bounds=_BOUNDS, options={"maxiter": 30}
    )
    return _unpacked(best.x)


class FittedProcess(Fitted):
    """The posterior (Rasmussen and Williams, 2006, algorithm 2.1); its doubt is about the value without noise."""

    def __init__(
        self, features: Features, genomes: Sequence[Genome], values: Vector, found: Hyperparameters
    ) -> None:
        self._view, self._found, self._mean = _View(features, genomes), found, float(values.mean())
        kernel = _kernel(*self._view.distances(genomes), found)
        self._cholesky = _cholesky(kernel, found.noise)
        self._weights = linalg.cho_solve((self._cholesky, True), values - self._mean)
        self._variance = float((values - self._mean) @ self._weights) / len(genomes)

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        kernel = _kernel(*self._view.distances(genomes), self._found)
        explained = linalg.solve_triangular(self._cholesky, kernel.T, lower=True)
        variance = self._variance * np.maximum(1.0 - np.sum(explained**2, axis=0), 0.0)
        return self._mean + kernel @ self._weights, np.sqrt(variance)


class _View:
    """The genomes that are fitted, as points that others have a distance to."""

    def __init__(self, features: Features, genomes: Sequence[Genome]) -> None:
        self._features = features
        counts = features.counts(genomes)
        self._labels = vocabulary(counts)
        self._rows = matrix(counts, self._labels)
        self._norms = np.sqrt([one.squared for one in counts])
        self._numbers = features.numbers(genomes)

    def distances(self, genomes: Sequence[Genome]) -> tuple[Matrix, Matrix]:
        """From each of these to each fitted one: on the graph sqrt(2 - 2 k), where k is the normalised subtree kernel;
        and the root mean square difference of the numbers.

        Returns:
            Two arrays of shape (len(genomes), how many are fitted).
        """
        counts = self._features.counts(genomes)
        norms = np.sqrt([one.squared for one in counts])
        kernel = matrix(counts, self._labels) @ self._rows.T / np.outer(norms, self._norms)
        numbers = self._features.numbers(genomes)
        plain = distance.cdist(numbers, self._numbers) / np.sqrt(max(1, numbers.shape[1]))
        return np.sqrt(np.maximum(2.0 - 2.0 * kernel, 0.0)), plain


def matern(distances: Matrix, scale: float) -> Matrix:
    """The Matern kernel with smoothness 5/2."""
    ratio = np.sqrt(5.0) / scale * distances
    return np.asarray((1.0 + ratio + ratio**2 / 3.0) * np.exp(-ratio))


def _kernel(graph: Matrix, numbers: Matrix, found: Hyperparameters) -> Matrix:
    return found.share * matern(graph, found.graph_scale) + (1 - found.share) * matern(
        numbers, found.scale
    )


def _cholesky(kernel: Matrix, noise: float) -> Matrix:
    """The lower factor; twins of a genome and subtrees that come to the same are held apart by the noise."""
    return np.asarray(linalg.cholesky(kernel + (noise + 1e-6) * np.eye(len(kernel)), lower=True))


def _negative_likelihood(kernel: Matrix, noise: float, values: Vector) -> float:
    """Minus the logarithm of the marginal likelihood, at its best variance, without constants."""
    lower = _cholesky(kernel, noise)
    variance = float(values @ linalg.cho_solve((lower, True), values)) / len(values)
    return float(0.5 * len(values) * math.log(max(variance, 1e-12)) + np.log(np.diag(lower)).sum())


def _unpacked(point: Vector) -> Hyperparameters:
    share, graph_scale, scale, noise = (float(one) for one in point)
    return Hyperparameters(
        1 / (1 + math.exp(-share)), math.exp(graph_scale), math.exp(scale), math.exp(noise)
    )
