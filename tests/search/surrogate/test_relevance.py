"""Relevance: its prediction against scikit-learn's, its gradient, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from evonas.genome import parse_space, sample
from evonas.search.surrogate import Features, Relevance
from evonas.search.surrogate.relevances import FittedRelevance, Relevances, _Posterior, tuned

MIXED = """
space: mixed
input: vector
network:
  layers: {length: [1, 3], ops: {dense: {units: {int: [4, 400], log: true}}, plain: {}}}
settings:
  optimizer:
    ops:
      sgd: {rate: {float: [1e-3, 1.0], log: true}, kind: {choice: [a, b, c]}}
      adam: {rate: {float: [1e-3, 1.0], log: true}}
"""
NUMBERS = """
space: numbers
input: none
settings:
  point: {ops: {point: {x: {float: [0.0, 1.0]}, y: {float: [0.0, 1.0]}, z: {float: [0.0, 1.0]}}}}
"""


def described(text, count):
    space = parse_space(text, "some.yaml")
    rng = np.random.default_rng(0)
    genomes = [sample(space, rng) for _ in range(count)]
    features = Features(space, 2)
    return space, features, genomes, features.points(genomes)


@pytest.fixture
def mixed():
    return described(MIXED, 40)


@pytest.fixture
def numbers():
    """Genomes of three numbers, of which the last makes no difference."""
    _, features, genomes, x = described(NUMBERS, 45)
    values = np.sin(6 * x[:, 0]) + x[:, 1] ** 2
    return features, genomes, x, (values - values.mean()) / values.std()


def test_numbers_are_predicted_as_scikit_learn_does(numbers):
    features, genomes, x, values = numbers
    scales = np.array([0.3, 0.8, 2.0])
    process = FittedRelevance(
        features, genomes[:30], values[:30], Relevances(0.0, 1.0, scales, 0.01)
    )
    mean, std = process.predict(genomes[30:])
    noise = process._variance * (0.01 + 1e-6)
    kernel = ConstantKernel(process._variance) * (Matern(scales, nu=2.5) + WhiteKernel(0.01 + 1e-6))
    theirs = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None)
    theirs.fit(x[:30], values[:30] - values[:30].mean())
    other_mean, other_std = theirs.predict(x[30:], return_std=True)
    assert mean == pytest.approx(other_mean + values[:30].mean(), abs=1e-8)
    assert std == pytest.approx(np.sqrt(other_std**2 - noise), abs=1e-6)


def test_the_gradient_is_that_of_the_loss(mixed):
    _, features, genomes, points = mixed
    values = points.sum(axis=1)
    posterior = _Posterior(features, genomes, (values - values.mean()) / values.std())
    rng = np.random.default_rng(1)
    for _ in range(3):
        point = posterior.means + 0.5 * rng.normal(size=len(posterior.means))
        error = check_grad(lambda p: posterior.loss(p)[0], lambda p: posterior.loss(p)[1], point)
        assert error < 1e-4


def test_what_makes_no_difference_has_the_longest_scale(numbers):
    features, genomes, _, values = numbers
    scales = tuned(features, genomes, values).scales
    assert scales[2] > 5 * scales[0]
    assert scales[2] > 2 * scales[1]


def test_a_space_without_decisions_of_this_kind_is_fitted_by_its_graph():
    text = "space: chain\ninput: vector\nnetwork: {layers: {length: 3, ops: {a: {}}}}"
    _, features, genomes, _ = described(text, 4)
    fitted = Relevance().fit(features, genomes, np.array([1.0, 0, 1, 0]), np.random.default_rng(0))
    mean, _ = fitted.predict(genomes)
    assert mean == pytest.approx(0.5)
