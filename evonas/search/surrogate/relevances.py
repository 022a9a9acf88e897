"""The mathematics of a Gaussian process with a length scale for each group of decisions.

The kernel is a sum of two Matern kernels with smoothness 5/2. One is on the architecture's graph,
as in `process.py`. The other is on the decisions, whose squared distance is a sum over the groups.
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
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.process import GraphView, cholesky, matern
from evonas.search.surrogate.surrogate import Fitted, Vector

Matrix = NDArray[np.float64]

STEPS = 40
"""Steps of L-BFGS, at most."""

# Logarithms, but for the first: the logit of the share. Then the scale of the graph and the noise.
_MEANS = (0.0, 0.0, -5.0)
_SPREADS = (1.5, 1.5, 2.0)
_BOUNDS = ((-5.0, 5.0), (-2.0, 4.0), (-9.0, 1.0))
_SCALE_BOUNDS = (-4.0, 5.0)
_SCALE_SPREAD = 1.5


@dataclass(frozen=True, eq=False)
class Relevances:
    """Hyperparameters of the kernel.

    The kernel is variance x (share x graph + (1 - share) x decisions).
    On its diagonal, variance x noise is added.

    Attributes:
        share: share of the graph's kernel, in [0, 1].
        graph_scale: length scale on the graph, in units of the distance of normalised counts.
        scales: length scale of each group of decisions, shape (groups,).
        noise: variance of the noise, relative to the variance of the kernel.
    """

    share: float
    graph_scale: float
    scales: Vector
    noise: float


def tuned(features: Features, genomes: Sequence[Genome], values: Vector) -> Relevances:
    """The most likely hyperparameters that a local search finds."""
    posterior = _Posterior(features, genomes, values)
    # One fixed start, so that equal trials give equal hyperparameters.
    best = optimize.minimize(
        posterior.loss,
        posterior.means,
        jac=True,
        method="L-BFGS-B",
        bounds=posterior.bounds,
        options={"maxiter": STEPS},
    )
    return _unpacked(best.x)


class _Posterior:
    """How likely hyperparameters are, given values.

    Args:
        values: shape (len(genomes),).
    """

    def __init__(self, features: Features, genomes: Sequence[Genome], values: Vector) -> None:
        self._values = values - values.mean()
        graph = GraphView(features, genomes).distances(genomes)
        # Each pair of genomes once, for the matrices are symmetric.
        self._graph = distance.squareform(graph, checks=False)
        decisions = features.decisions
        columns = decisions.columns(features.points(genomes))
        squares = []
        for group in range(decisions.count):
            own = columns[:, decisions.groups == group]
            squares.append(distance.pdist(own, "sqeuclidean"))
        pairs = len(self._graph)
        # Squared distances of all pairs within each group, shape (groups, pairs).
        self._squares = np.array(squares).reshape(decisions.count, pairs)
        groups = max(1, decisions.count)
        # The more groups, the less of the distance is due to each of them (Hvarfner et al., 2024).
        scale = 0.5 * math.log(groups)
        self.means = np.array([*_MEANS, *[scale] * decisions.count])
        self._spreads = np.array([*_SPREADS, *[_SCALE_SPREAD] * decisions.count])
        self.bounds = [*_BOUNDS, *[_SCALE_BOUNDS] * decisions.count]

    def loss(self, point: Vector) -> tuple[float, Vector]:
        """Minus the logarithm of the posterior density, without constants, and its gradient.

        The variance is the most likely one, which has a closed form.
        """
        found = _unpacked(point)
        weights = found.scales**-2.0
        on_graph, graph_slope = _matern(math.sqrt(5) / found.graph_scale * self._graph)
        ratio = np.sqrt(5 * (weights @ self._squares))
        on_decisions, slope = _matern(ratio)
        kernel = distance.squareform(
            found.share * on_graph + (1 - found.share) * on_decisions, checks=False
        )
        np.fill_diagonal(kernel, 1.0)
        lower = cholesky(kernel, found.noise)
        count = len(self._values)
        inverse = linalg.cho_solve((lower, True), np.eye(count))
        solved = inverse @ self._values
        # Equal values have a variance of 0, of which there is no logarithm.
        fit = max(float(self._values @ solved), 1e-12 * count)
        deviation = (point - self.means) / self._spreads
        loss = (
            0.5 * count * math.log(fit / count)
            + float(np.log(np.diag(lower)).sum())
            + 0.5 * float(deviation @ deviation)
        )
        # How the loss changes with each element of the matrix; each pair is there twice.
        force = 0.5 * inverse - (0.5 * count / fit) * np.outer(solved, solved)
        pairs = 2 * distance.squareform(force, checks=False)
        gradient = deviation / self._spreads
        share = found.share
        gradient[0] += share * (1 - share) * float(pairs @ (on_graph - on_decisions))
        on_scale = graph_slope * (5 / found.graph_scale**2) * self._graph**2
        gradient[1] += share * float(pairs @ on_scale)
        gradient[2] += found.noise * float(np.trace(force))
        along = (1 - share) * 5 * (self._squares @ (pairs * slope))
        gradient[3:] += weights * along
        return loss, gradient


def _matern(ratio: Vector) -> tuple[Vector, Vector]:
    """The Matern kernel at distances times sqrt(5) / scale.

    The second array times the squared argument is the derivative by the logarithm of the scale.
    """
    decay = np.exp(-ratio)
    third = ratio / 3
    value = (1.0 + ratio + third * ratio) * decay
    return value, (1.0 + ratio) / 3 * decay


class FittedRelevance(Fitted):
    """The posterior (Rasmussen and Williams, 2006, algorithm 2.1).

    The predicted deviation is that of the value without noise.
    """

    def __init__(
        self, features: Features, genomes: Sequence[Genome], values: Vector, found: Relevances
    ) -> None:
        self._features = features
        self._found = found
        self._graph = GraphView(features, genomes)
        decisions = features.decisions
        self._scales = found.scales[decisions.groups]
        self._columns = self._scaled(features.points(genomes))
        self._mean = float(values.mean())
        kernel = self._kernel(self._graph.distances(genomes), self._columns)
        self._cholesky = cholesky(kernel, found.noise)
        centred = values - self._mean
        self._weights = linalg.cho_solve((self._cholesky, True), centred)
        # The variance of the greatest likelihood, which has this closed form.
        self._variance = float(centred @ self._weights) / len(genomes)

    def predict(self, genomes: Sequence[Genome]) -> tuple[Vector, Vector]:
        points = self._features.points(genomes)
        return self._predicted(self._graph.distances(genomes), points)

    def _predicted(self, graph: Matrix, points: Matrix) -> tuple[Vector, Vector]:
        kernel = self._kernel(graph, self._scaled(points))
        explained = linalg.solve_triangular(
            self._cholesky, kernel.T, lower=True, check_finite=False
        )
        share_explained = np.sum(explained**2, axis=0)
        # Rounding can make the difference negative.
        share_left = np.maximum(1.0 - share_explained, 0.0)
        mean = self._mean + kernel @ self._weights
        return mean, np.sqrt(self._variance * share_left)

    def _scaled(self, points: Matrix) -> Matrix:
        """The columns of these points, in units of their length scales."""
        return self._features.decisions.columns(points) / self._scales

    def _kernel(self, graph: Matrix, columns: Matrix) -> Matrix:
        """The kernel with the fitted genomes, for a variance of 1 and without the noise."""
        apart = distance.cdist(columns, self._columns)
        share = self._found.share
        return share * matern(graph, self._found.graph_scale) + (1 - share) * matern(apart, 1.0)


def _unpacked(point: Vector) -> Relevances:
    """The hyperparameters at a point of the search, whose coordinates have no bounds by nature."""
    share, graph_scale, noise = (float(one) for one in point[:3])
    return Relevances(
        share=1 / (1 + math.exp(-share)),
        graph_scale=math.exp(graph_scale),
        scales=np.exp(point[3:]),
        noise=math.exp(noise),
    )
