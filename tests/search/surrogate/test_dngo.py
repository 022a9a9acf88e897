"""DNGO: the basis is the network's last hidden layer; the regression on it learns and doubts."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from evonas.genome import sample
from evonas.search.surrogate import Dngo, Features
from evonas.search.surrogate.basis import _columns


@pytest.fixture
def data(small_space):
    genomes = [sample(small_space, np.random.default_rng(i)) for i in range(60)]
    values = np.array(
        [float(len(genome["layers"])) + (genome["optimizer"][0].op == "adam") for genome in genomes]
    )
    return Features(small_space, 1), genomes, (values - values.mean()) / values.std()


def test_it_learns_what_depends_on_length_and_op(data):
    features, genomes, values = data
    mean, std = (
        Dngo()
        .fit(features, genomes[:40], values[:40], np.random.default_rng(0))
        .predict(genomes[40:])
    )
    assert np.corrcoef(mean, values[40:])[0, 1] > 0.95
    assert mean.shape == std.shape == (20,)
    assert (std > 0).all()


def test_the_basis_is_what_the_output_layer_of_the_network_sees(data, monkeypatch):
    features, genomes, values = data
    made = []
    fit = MLPRegressor.fit
    monkeypatch.setattr(
        MLPRegressor, "fit", lambda self, x, y: made.append(self) or fit(self, x, y)
    )
    basis = Dngo(layers=2, units=7).tune(
        features, genomes[:40], values[:40], np.random.default_rng(0)
    )
    found = basis(genomes[40:])
    assert found.shape == (20, 1 + 7)
    (network,) = made
    columns = (_columns(features, genomes[40:], basis.labels) - basis.means) / basis.scales
    expected = network.predict(columns)
    assert found @ np.concatenate(
        [network.intercepts_[-1], network.coefs_[-1][:, 0]]
    ) == pytest.approx(expected)


def test_a_basis_serves_further_trials(data):
    features, genomes, values = data
    surrogate, rng = Dngo(), np.random.default_rng(0)
    basis = surrogate.tune(features, genomes[:30], values[:30], rng)
    few = surrogate.fit(features, genomes[:30], values[:30], rng, basis)
    more = surrogate.fit(features, genomes[:50], values[:50], rng, basis)
    assert more._basis is few._basis is basis
    assert more.predict(genomes)[0].tolist() != few.predict(genomes)[0].tolist()


def test_equal_generators_give_equal_networks_and_the_global_stream_is_left_alone(data):
    features, genomes, values = data
    found = []
    for seed in (0, 0, 1):
        np.random.seed(3)
        random.seed(3)
        before = np.random.get_state()[1].tolist(), random.getstate()
        fitted = Dngo().fit(features, genomes[:40], values[:40], np.random.default_rng(seed))
        assert (np.random.get_state()[1].tolist(), random.getstate()) == before
        found.append(fitted.predict(genomes)[0].tolist())
    assert found[0] == found[1] != found[2]
