"""Greedy selection: what helps is taken, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.learning.selection import PICKS, select

Y = np.array([0.0, 0.0, 0.0, 0.0])


def error(predictions):
    return float(np.mean((predictions - Y) ** 2))


def columns(*values):
    return [np.array(one, dtype=np.float32) for one in values]


def test_networks_with_opposite_errors_are_taken_together():
    best, other, useless = columns([1, -1, 1, -1], [-1, 1, -1, 1], [9, 9, 9, 9])
    found = select([best, useless, other], error, "min", [1, 1, 1])
    assert found is not None
    assert found.counts == (1, 0, 1)
    assert found.value == 0.0


def test_a_network_may_count_twice():
    """(2 x 1 - 2) / 3 is zero: the better one has to count twice."""
    better, worse = columns([1, 1, 1, 1], [-2, -2, -2, -2])
    found = select([better, worse], error, "min", [1, 1])
    assert found is not None
    assert found.counts == (2, 1)
    assert found.value == pytest.approx(0.0, abs=1e-12)


def test_of_equal_scores_the_smaller_ensemble_wins():
    same = columns([1, 1, 1, 1], [1, 1, 1, 1])
    found = select(same, error, "min", [1, 1])
    assert found is not None
    assert found.counts == (1, 0)


def test_more_may_be_better():
    right = np.array([1, 1, 0, 1])

    def accuracy(predictions):
        return float(np.mean((predictions > 0.5) == right))

    one, other = columns([0.9, 0.9, 0.9, 0.4], [0.9, 0.4, 0.0, 0.9])
    found = select([one, other], accuracy, "max", [1, 1])
    assert found is not None
    assert found.value == 1.0
    assert found.counts == (1, 1)


def test_the_limit_counts_each_network_once():
    one, other = columns([1, 1, 1, 1], [-2, -2, -2, -2])
    allowed = select([one, other], error, "min", [10, 5], most=15)
    assert allowed is not None
    assert allowed.counts == (2, 1)
    refused = select([one, other], error, "min", [10, 5], most=14)
    assert refused is not None
    assert refused.counts == (1, 0)
    # The best one alone is too large.
    small = select([one, other], error, "min", [10, 5], most=5)
    assert small is not None
    assert small.counts == (0, 1)
    assert select([one, other], error, "min", [10, 5], most=4) is None


def test_what_has_no_score_is_never_taken():
    broken, good = columns([math.nan] * 4, [1, 1, 1, 1])
    found = select([broken, good], error, "min", [1, 1])
    assert found is not None
    assert found.counts == (0, 1)
    assert select([broken], error, "min", [1]) is None


def test_it_is_never_worse_than_the_best_alone_and_never_larger_than_allowed():
    rng = np.random.default_rng(0)
    for _ in range(50):
        candidates = [rng.normal(size=4) for _ in range(5)]
        found = select(candidates, error, "min", [1] * 5)
        assert found is not None
        assert found.value <= min(map(error, candidates))
        assert sum(found.counts) <= PICKS
        mean = np.average(candidates, axis=0, weights=found.counts)
        assert error(mean) == pytest.approx(found.value)
