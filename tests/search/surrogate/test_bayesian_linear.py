"""Bayesian linear regression against its definition, and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, stats
from sklearn.linear_model import BayesianRidge

from evonas.search.surrogate.bayesian_linear import BayesianLinear


def data(rows, columns, noise, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    return x, x @ rng.normal(size=columns) + noise * rng.normal(size=rows)


@pytest.mark.parametrize(("rows", "columns"), [(40, 7), (6, 12)])
def test_the_evidence_is_the_density_of_the_values(rows, columns):
    x, y = data(rows, columns, 0.5)
    fitted = BayesianLinear(x, y)
    for alpha, beta in [(1.0, 1.0), (0.01, 30.0), (7.0, 0.2)]:
        covariance = np.eye(rows) / beta + x @ x.T / alpha
        expected = stats.multivariate_normal(np.zeros(rows), covariance).logpdf(y)
        assert fitted.log_evidence(alpha, beta) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(40, 7), (6, 12)])
def test_the_posterior_is_that_of_the_textbook(rows, columns):
    x, y = data(rows, columns, 0.5)
    fitted = BayesianLinear(x, y)
    covariance = linalg.inv(fitted.alpha * np.eye(columns) + fitted.beta * x.T @ x)  # Bishop, 3.54
    new = np.random.default_rng(1).normal(size=(20, columns))
    mean, std = fitted.predict(new)
    assert mean == pytest.approx(new @ (fitted.beta * covariance @ x.T @ y), rel=1e-7)
    assert std == pytest.approx(np.sqrt(np.einsum("ij,jk,ik->i", new, covariance, new)), rel=1e-7)


def test_its_precisions_are_those_of_scikit_learn():
    x, y = data(60, 5, 0.7)
    fitted = BayesianLinear(x, y)
    other = BayesianRidge(
        fit_intercept=False,
        alpha_1=0,
        alpha_2=0,
        lambda_1=0,
        lambda_2=0,
        tol=1e-10,
        max_iter=10_000,
    )
    other.fit(x, y)
    assert fitted.beta == pytest.approx(other.alpha_, rel=1e-3)
    assert fitted.alpha == pytest.approx(other.lambda_, rel=1e-3)
    mean, std = fitted.predict(x)
    other_mean, other_std = other.predict(x, return_std=True)
    assert mean == pytest.approx(other_mean, rel=1e-3)
    assert np.sqrt(std**2 + 1 / fitted.beta) == pytest.approx(other_std, rel=1e-3)


def test_no_other_precisions_have_more_evidence():
    x, y = data(50, 6, 0.4)
    fitted = BayesianLinear(x, y)
    best = fitted.log_evidence(fitted.alpha, fitted.beta)
    for a in np.linspace(-3, 3, 13):
        for b in np.linspace(-3, 3, 13):
            assert (
                fitted.log_evidence(fitted.alpha * np.exp(a), fitted.beta * np.exp(b))
                <= best + 1e-6
            )


def test_where_nothing_was_seen_the_doubt_is_the_priors():
    x = np.zeros((5, 3))
    x[:, 0] = [1.0, -1.0, 0.5, 2.0, -0.3]
    fitted = BayesianLinear(x, 2 * x[:, 0])
    mean, std = fitted.predict(np.array([[0.0, 2.0, 0.0]]))
    assert mean[0] == pytest.approx(0.0, abs=1e-9)
    assert std[0] == pytest.approx(2 / np.sqrt(fitted.alpha))
