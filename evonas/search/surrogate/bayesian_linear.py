"""Bayesian linear regression with the precisions of the greatest marginal likelihood (Bishop, 2006,
sections 3.3 and 3.5).

SciPy takes a while to import. So this is a module of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from evonas.search.surrogate.surrogate import Vector

Matrix = NDArray[np.float64]

_BOUNDS = ((-9.0, 9.0), (-4.0, 9.0))
"""Bounds of the logarithms of alpha and beta.

So beta is above 0.018, for values that are about standard normal.
"""


class BayesianLinear:
    """Weights are normal with precision alpha. Values are normal with precision beta about the
    weighted sum of their columns.

    Args:
        columns: shape (n, k).
        values: shape (n,), of mean 0 or with a constant among the columns.

    Attributes:
        alpha: precision of the weights.
        beta: precision of the values.
    """

    def __init__(self, columns: Matrix, values: Vector) -> None:
        # In the singular directions of the columns everything is diagonal. There the marginal
        # likelihood of a pair of precisions costs no more than the number of columns.
        left, singular, directions = linalg.svd(columns, full_matrices=False)
        self._directions = directions
        self._squares = singular**2
        self._along = left.T @ values
        self._count = len(columns)
        # The part of the squared values that no weights can explain.
        total = values @ values
        explained = self._along @ self._along
        self._rest = float(total - explained)
        # A local search from one start, so that equal data give equal precisions.
        start = np.zeros(2)
        best = optimize.minimize(self._loss, start, method="L-BFGS-B", bounds=_BOUNDS)
        alpha, beta = np.exp(best.x)
        self.alpha = float(alpha)
        self.beta = float(beta)
        # Precisions and mean of the weights after the data, in the singular directions.
        self._precisions = self.alpha + self.beta * self._squares
        self._weights = self.beta * singular * self._along / self._precisions

    def log_evidence(self, alpha: float, beta: float) -> float:
        """The logarithm of the marginal likelihood of the values."""
        # In each direction, the share of a value's square that is left as an error.
        share = alpha / (alpha + beta * self._squares)
        left = np.sum(share * self._along**2)
        error = beta * (self._rest + float(left))
        determinant = np.sum(np.log(share))
        normalizer = self._count * np.log(beta / (2 * np.pi))
        return 0.5 * float(determinant + normalizer - error)

    def _loss(self, logarithms: Vector) -> float:
        """What is minimised: minus the evidence, by the logarithms of alpha and beta."""
        alpha, beta = np.exp(logarithms)
        return -self.log_evidence(alpha, beta)

    def predict(self, columns: Matrix) -> tuple[Vector, Vector]:
        """The mean and the standard deviation of the value without noise, of each row.

        Returns:
            Two arrays of shape (len(columns),).
        """
        inside = columns @ self._directions.T
        total_squares = np.sum(columns**2, axis=1)
        inside_squares = np.sum(inside**2, axis=1)
        # The part of a row outside of the singular directions. The data say nothing about it, so
        # its weights keep the precision alpha. Rounding can make the difference negative.
        outside = np.maximum(total_squares - inside_squares, 0.0)
        variance_inside = np.sum(inside**2 / self._precisions, axis=1)
        variance = variance_inside + outside / self.alpha
        mean = inside @ self._weights
        return mean, np.sqrt(variance)
