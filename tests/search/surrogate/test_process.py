"""The Gaussian process against scikit-learn's, and its hyperparameters against others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from evonas.genome import parse_space, sample
from evonas.search.surrogate import Features, GaussianProcess
from evonas.search.surrogate.process import (
    FittedProcess,
    Hyperparameters,
    _kernel,
    _negative_likelihood,
    _View,
    tuned,
)

NUMBERS = """
space: numbers
input: vector
network:
  layers: {ops: {dense: {units: {int: [4, 400], log: true}, l2: {float: [1e-6, 1e-2], log: true}}}}
settings:
  optimizer: {ops: {sgd: {learning_rate: {float: [1e-3, 1.0], log: true}}}}
"""


@pytest.fixture
def data():
    """Genomes that differ in three numbers only, and a smooth function of these."""
    space = parse_space(NUMBERS, "numbers.yaml")
    rng = np.random.default_rng(0)
    genomes = [sample(space, rng) for _ in range(45)]
    features = Features(space, 2)
    x = features.numbers(genomes)
    values = np.sin(4 * x[:, 0]) + x[:, 1] ** 2 - x[:, 2]
    return features, genomes, x, (values - values.mean()) / values.std()


def test_numbers_alone_are_predicted_as_scikit_learn_does(data):
    features, genomes, x, values = data
    found = Hyperparameters(share=0.0, graph_scale=1.0, scale=0.7, noise=0.01)
    process = FittedProcess(features, genomes[:30], values[:30], found)
    mean, std = process.predict(genomes[30:])
    ours, y = x / np.sqrt(x.shape[1]), values[:30]
    kernel = ConstantKernel(process._variance) * (Matern(0.7, nu=2.5) + WhiteKernel(0.01 + 1e-6))
    theirs = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(
        ours[:30], y - y.mean()
    )
    other_mean, other_std = theirs.predict(ours[30:], return_std=True)
    other_std = np.sqrt(
        other_std**2 - process._variance * (0.01 + 1e-6)
    )  # theirs has the noise in it
    assert mean == pytest.approx(other_mean + y.mean(), abs=1e-8)
    assert std == pytest.approx(other_std, abs=1e-6)


def test_the_likelihood_is_scikit_learns_up_to_a_constant(data):
    features, genomes, x, values = data
    graph, numbers = _View(features, genomes).distances(genomes)
    centred = values - values.mean()
    differences = []
    for scale, noise in ((0.3, 0.1), (1.0, 0.01), (3.0, 0.3)):
        found = Hyperparameters(0.0, 1.0, scale, noise)
        variance = FittedProcess(features, genomes, values, found)._variance
        kernel = ConstantKernel(variance) * (Matern(scale, nu=2.5) + WhiteKernel(noise + 1e-6))
        regressor = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(
            x / np.sqrt(x.shape[1]), centred
        )
        ours = _negative_likelihood(_kernel(graph, numbers, found), noise, centred)
        differences.append(ours + regressor.log_marginal_likelihood_value_)
    assert differences == pytest.approx([differences[0]] * 3)


def test_tuned_hyperparameters_are_likelier_than_others(data):
    features, genomes, _, values = data
    graph, numbers = _View(features, genomes).distances(genomes)

    def loss(found: Hyperparameters) -> float:
        return _negative_likelihood(
            _kernel(graph, numbers, found), found.noise, values - values.mean()
        )

    best = tuned(features, genomes, values)
    others = [
        Hyperparameters(share, 1.0, scale, noise)
        for share in (0.1, 0.9)
        for scale in (0.1, 1.0)
        for noise in (0.01, 0.5)
    ]
    assert all(loss(best) < loss(other) for other in others)
    assert tuned(features, genomes, values) == best


def test_doubt_is_least_where_trials_are(small_space):
    genomes = [sample(small_space, np.random.default_rng(i)) for i in range(30)]
    values = np.linspace(-1.5, 1.5, 20)
    fitted = GaussianProcess().fit(
        Features(small_space, 2), genomes[:20], values, np.random.default_rng(0)
    )
    _, std = fitted.predict(genomes)
    assert (std >= 0).all()
    assert std[:20].max() < std[20:].mean()


def test_twins_and_equal_values_can_be_fitted(small_space):
    genome = sample(small_space, np.random.default_rng(0))
    features, rng = Features(small_space, 2), np.random.default_rng(0)
    mean, std = (
        GaussianProcess().fit(features, [genome, genome], np.zeros(2), rng).predict([genome])
    )
    assert mean[0] == 0
    assert np.isfinite(std).all()
