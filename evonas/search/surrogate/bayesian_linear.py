"""Bayesian linear regression with the precisions of the greatest marginal likelihood (Bishop, 2006, sections 3.3, 3.5).

A module of its own, for scipy takes a while to import.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from evonas.search.surrogate.surrogate import Vector

Matrix = NDArray[np.float64]

_BOUNDS = ((-9.0, 9.0), (-4.0, 9.0))
"""Of the logarithms of alpha and beta; beta is above 0.018 for values that are about standard normal."""


class BayesianLinear:
    """Weights are normal with precision alpha, values with precision beta about the weighted sum of their columns.

    In the columns' singular directions everything is diagonal: there, the marginal likelihood of a pair of precisions
    costs no more than the number of columns.

    Args:
        columns: shape (n, k).
        values: shape (n,), of mean 0 or with a constant among the columns.

    Attributes:
        alpha, beta: the precisions, of the greatest marginal likelihood that a local search (L-BFGS-B) finds from one
            start.
    """

    def __init__(self, columns: Matrix, values: Vector) -> None:
        left, singular, self._directions = linalg.svd(columns, full_matrices=False)
        self._squares, self._along = singular**2, left.T @ values
        self._count, self._width = columns.shape
        self._rest = float(values @ values - self._along @ self._along)  # what no weights explain
        best = optimize.minimize(self._loss, np.zeros(2), method="L-BFGS-B", bounds=_BOUNDS)
        self.alpha, self.beta = (float(one) for one in np.exp(best.x))
        self._precisions = self.alpha + self.beta * self._squares
        self._weights = (
            self.beta * singular * self._along / self._precisions
        )  # in the singular directions

    def log_evidence(self, alpha: float, beta: float) -> float:
        """The logarithm of the marginal likelihood of the values."""
        share = alpha / (
            alpha + beta * self._squares
        )  # of a value's square that is left in each direction
        error = beta * (self._rest + float(np.sum(share * self._along**2)))
        return 0.5 * float(np.sum(np.log(share)) + self._count * np.log(beta / (2 * np.pi)) - error)

    def _loss(self, logarithms: Vector) -> float:
        return -self.log_evidence(*np.exp(logarithms))

    def predict(self, columns: Matrix) -> tuple[Vector, Vector]:
        """The mean and the standard deviation of the value without noise, of each row; shape (len(columns),)."""
        inside = columns @ self._directions.T
        outside = np.maximum(
            np.sum(columns**2, axis=1) - np.sum(inside**2, axis=1), 0.0
        )  # of which nothing is known
        variance = np.sum(inside**2 / self._precisions, axis=1) + outside / self.alpha
        return inside @ self._weights, np.sqrt(variance)
