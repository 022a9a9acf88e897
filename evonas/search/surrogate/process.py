"""The mathematics of Gaussian processes on genomes: kernels, posterior, marginal likelihood.

The kernel is not that of NAS-BOWL (Ru et al., 2021). There, the inner product k of the counts of
Weisfeiler and Lehman is itself the kernel, and the marginal likelihood chooses the depth of the
subtrees. Here, k gives a distance, sqrt(2 - 2 k), and a Matern kernel with smoothness 5/2 and a
length scale of its own gives the likeness. Another Matern kernel, on the numbers, is added. The
depth is a setting.

SciPy takes a while to import. So this is a module of its own, which is imported only where a
process is fitted.
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
from evonas.search.surrogate.features import Counts, Features, matrix, vocabulary
from evonas.search.surrogate.surrogate import Fitted, Vector

Matrix = NDArray[np.float64]

_START = np.array([0.0, 0.0, -1.0, -4.0])
_BOUNDS = ((-5.0, 5.0), (-2.0, 4.0), (-4.0, 3.0), (-9.0, 1.0))
"""Start and bounds of the search: logit of the share, then logarithms of both scales and noise."""


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the kernel.

    The kernel is variance x (share x graph + (1 - share) x numbers).
    On its diagonal, variance x noise is added.

    Attributes:
        share: share of the graph's kernel, in [0, 1].
        graph_scale: length scale on the graph, in units of the distance of normalised counts. That
            distance is at most 1.42.
        scale: length scale on the numbers, in units of the root mean square difference of
            coordinates.
        noise: variance of the noise, relative to the variance of the kernel.
    """

    share: float
    graph_scale: float
    scale: float
    noise: float


def tuned(features: Features, genomes: Sequence[Genome], values: Vector) -> Hyperparameters:
    """The hyperparameters of the greatest marginal likelihood that a local search finds."""
    graph, numbers = _View(features, genomes).distances(genomes)
    centred = values - values.mean()

    def loss(point: Vector) -> float:
        found = _unpacked(point)
        kernel = _kernel(graph, numbers, found)
        return _negative_likelihood(kernel, found.noise, centred)

    # One fixed start, so that equal trials give equal hyperparameters.
    best = optimize.minimize(
        loss,
        _START,
        method="L-BFGS-B",
        bounds=_BOUNDS,
        options={"maxiter": 30},
    )
    return _unpacked(best.x)


class FittedProcess(Fitted):
    """The posterior (Rasmussen and Williams, 2006, algorithm 2.1).

    The predicted deviation is that of the value without noise.
    """

    def __init__(
        self, features: Features, genomes: Sequence[Genome], values: Vector, found: Hyperparameters
    ) -> None:
        self._view = _View(features, genomes)
        self._found = found
        self._mean = float(values.mean())
        graph, numbers = self._view.distances(genomes)
        kernel = _kernel(graph, numbers, found)
        self._cholesky = cholesky(kernel, found.noise)
        centred = values - self._mean
        self._weights = linalg.cho_solve((self._cholesky, True), centred)
        # The variance of the greatest likelihood, which has this closed form.
        self._variance = float(centred @ self._weights) / len(genomes)

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        graph, numbers = self._view.distances(genomes)
        kernel = _kernel(graph, numbers, self._found)
        explained = linalg.solve_triangular(self._cholesky, kernel.T, lower=True)
        share_explained = np.sum(explained**2, axis=0)
        # Rounding can make the difference negative.
        share_left = np.maximum(1.0 - share_explained, 0.0)
        variance = self._variance * share_left
        mean = self._mean + kernel @ self._weights
        return mean, np.sqrt(variance)


class GraphView:
    """The graphs of the fitted genomes, as points to which other graphs have a distance."""

    def __init__(self, features: Features, genomes: Sequence[Genome]) -> None:
        self._features = features
        counts = features.counts(genomes)
        self._labels = vocabulary(counts)
        self._rows = matrix(counts, self._labels)
        self._norms = _norms(counts)

    def distances(self, genomes: Sequence[Genome]) -> Matrix:
        """The distance from each of these genomes to each fitted one: sqrt(2 - 2 k).

        k is the normalised subtree kernel.

        Returns:
            Shape (len(genomes), number of fitted genomes).
        """
        counts = self._features.counts(genomes)
        rows = matrix(counts, self._labels)
        # The norms include labels that no fitted genome has, which `rows` leaves out.
        norms = _norms(counts)
        kernel = rows @ self._rows.T / np.outer(norms, self._norms)
        # By rounding, the kernel of equal genomes may be a little above 1.
        squares = np.maximum(2.0 - 2.0 * kernel, 0.0)
        return np.sqrt(squares)


class _View:
    """The fitted genomes, as points to which other genomes have a distance."""

    def __init__(self, features: Features, genomes: Sequence[Genome]) -> None:
        self._features = features
        self._graph = GraphView(features, genomes)
        self._numbers = features.numbers(genomes)

    def distances(self, genomes: Sequence[Genome]) -> tuple[Matrix, Matrix]:
        """The distances from each of these genomes to each fitted one.

        Returns:
            Two arrays of shape (len(genomes), number of fitted genomes). The first is the distance
            on the graph. The second is the root mean square difference of the numbers.
        """
        numbers = self._features.numbers(genomes)
        # A space without numbers has distances of 0, which must not be divided by 0.
        width = max(1, numbers.shape[1])
        plain = distance.cdist(numbers, self._numbers) / np.sqrt(width)
        return self._graph.distances(genomes), plain


def _norms(counts: Sequence[Counts]) -> Vector:
    """The Euclidean norm of each genome's counts; shape (len(counts),)."""
    squares = [one.squared for one in counts]
    return np.sqrt(squares)


def matern(distances: Matrix, scale: float) -> Matrix:
    """The Matern kernel with smoothness 5/2."""
    ratio = np.sqrt(5.0) / scale * distances
    polynomial = 1.0 + ratio + ratio**2 / 3.0
    decay = np.exp(-ratio)
    return np.asarray(polynomial * decay)


def _kernel(graph: Matrix, numbers: Matrix, found: Hyperparameters) -> Matrix:
    """The kernel of these distances, for a variance of 1 and without the noise."""
    share = found.share
    on_graph = matern(graph, found.graph_scale)
    on_numbers = matern(numbers, found.scale)
    return share * on_graph + (1 - share) * on_numbers


def cholesky(kernel: Matrix, noise: float) -> Matrix:
    """The lower Cholesky factor of the kernel with noise."""
    # Two genomes with equal features have equal rows. The noise keeps the matrix positive
    # definite, and the small constant does so if the noise is near 0.
    size = len(kernel)
    diagonal = (noise + 1e-6) * np.eye(size)
    factor = linalg.cholesky(kernel + diagonal, lower=True)
    return np.asarray(factor)


def _negative_likelihood(kernel: Matrix, noise: float, values: Vector) -> float:
    """Minus the logarithm of the marginal likelihood, at its best variance, without constants."""
    lower = cholesky(kernel, noise)
    count = len(values)
    weights = linalg.cho_solve((lower, True), values)
    variance = float(values @ weights) / count
    # Equal values have a variance of 0, of which there is no logarithm.
    fit = 0.5 * count * math.log(max(variance, 1e-12))
    half_determinant = np.log(np.diag(lower)).sum()
    return float(fit + half_determinant)


def _unpacked(point: Vector) -> Hyperparameters:
    """The hyperparameters at a point of the search, whose coordinates have no bounds by nature."""
    share, graph_scale, scale, noise = (float(one) for one in point)
    return Hyperparameters(
        share=1 / (1 + math.exp(-share)),
        graph_scale=math.exp(graph_scale),
        scale=math.exp(scale),
        noise=math.exp(noise),
    )
