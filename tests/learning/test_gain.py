"""A difference of two scores, and whether it may be luck."""

from __future__ import annotations

import math

import numpy as np

from evonas.learning.gain import gain


def scorer(right):
    hits = np.asarray(right, dtype=float)

    def score(positions):
        return float(hits[positions].mean())

    return score


def test_equal_answers_differ_by_nothing():
    right = [True, False] * 50
    found = gain(scorer(right), 100, scorer(right), seed=0)
    assert found is not None
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert not found.is_beyond_noise


def test_one_sample_more_of_a_hundred_may_be_luck_and_twenty_are_not():
    base = np.zeros(100, dtype=bool)
    base[:60] = True
    one = base.copy()
    one[60] = True
    found = gain(scorer(one), 100, scorer(base), seed=0)
    assert found is not None
    assert math.isclose(found.difference, 0.01)
    assert found.low <= 0.0 <= found.high
    assert not found.is_beyond_noise
    many = base.copy()
    many[60:80] = True
    found = gain(scorer(many), 100, scorer(base), seed=0)
    assert found is not None
    # The exact interval of 20 of 100 is 12.7 to 29.2 %; that of the bootstrap is a little shorter.
    assert 0.10 < found.low < 0.2 < found.high < 0.30
    assert found.is_beyond_noise


def test_it_is_paired():
    """Both miss the same hard samples: 40 % of them say nothing about the difference."""
    rng = np.random.default_rng(1)
    base = rng.random(1000) < 0.6
    better = base.copy()
    better[np.flatnonzero(~base)[:25]] = True
    found = gain(scorer(better), 1000, scorer(base), seed=0)
    assert found is not None
    # An unpaired interval would be wider than the difference of 0.025: 1.96 x sqrt(2 x 0.24 / 1000)
    assert found.low > 0.01


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(1)
    one, other = scorer(rng.random(50) < 0.7), scorer(rng.random(50) < 0.6)
    assert gain(one, 50, other, seed=3) == gain(one, 50, other, seed=3)
    assert gain(one, 50, other, seed=3) != gain(one, 50, other, seed=4)


def test_without_a_number_there_is_no_gain():
    assert gain(lambda _: math.nan, 10, scorer([True] * 10), seed=0) is None
    assert gain(scorer([True]), 1, scorer([False]), seed=0) is None
