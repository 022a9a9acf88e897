"""The forest: the mean and the disagreement of its trees, and nothing hidden."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import sample
from evonas.search.surrogate import Features, Forest


@pytest.fixture
def data(small_space):
    genomes = [sample(small_space, np.random.default_rng(i)) for i in range(60)]
    values = np.array(
        [float(len(genome["layers"])) + (genome["optimizer"][0].op == "adam") for genome in genomes]
    )
    return Features(small_space, 1), genomes, values


def test_it_learns_what_depends_on_length_and_op(data):
    features, genomes, values = data
    fitted = Forest().fit(features, genomes[:40], values[:40], np.random.default_rng(0))
    mean, std = fitted.predict(genomes[40:])
    assert np.corrcoef(mean, values[40:])[0, 1] > 0.95
    assert mean.shape == std.shape == (20,)


def test_its_doubt_is_the_standard_deviation_between_the_trees(data):
    features, genomes, values = data
    noisy = values + np.random.default_rng(1).normal(size=60)
    fitted = Forest(trees=7).fit(features, genomes[:40], noisy[:40], np.random.default_rng(0))
    columns = np.hstack([features.points(genomes[40:]), _counts(features, fitted, genomes[40:])])
    each = np.array([tree.predict(columns) for tree in fitted._trees])
    mean, std = fitted.predict(genomes[40:])
    assert len(each) == 7
    assert mean == pytest.approx(each.mean(axis=0))
    assert std == pytest.approx(each.std(axis=0))
    assert std.max() > 0


def _counts(features, fitted, genomes):
    from evonas.search.surrogate.features import matrix

    return matrix(features.counts(genomes), fitted._labels)


def test_equal_generators_give_equal_forests(data):
    features, genomes, values = data
    noisy = values + np.random.default_rng(1).normal(size=60)
    found = [
        Forest(trees=5)
        .fit(features, genomes[:40], noisy[:40], np.random.default_rng(seed))
        .predict(genomes)[0]
        .tolist()
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]
