"""Expected improvement against its definition, and values by rank."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from evonas.search.surrogate.improvement import expected_improvement, normal_scores


@pytest.mark.parametrize(
    ("mean", "std", "best"), [(0.0, 1.0, 0.0), (1.0, 0.5, 0.2), (-2.0, 3.0, -1.5), (5.0, 0.1, 0.0)]
)
def test_it_is_the_integral_over_what_lies_below_the_best(mean, std, best):
    density = stats.norm(mean, std).pdf
    expected, _ = integrate.quad(lambda y: (best - y) * density(y), best - 40 * std, best)
    found = expected_improvement(np.array([mean]), np.array([std]), best)
    assert found[0] == pytest.approx(expected, abs=1e-9)


def test_in_closed_form_at_the_best_it_is_the_density_at_zero():
    assert expected_improvement(np.zeros(1), np.ones(1), 0.0)[0] == pytest.approx(
        1 / math.sqrt(2 * math.pi)
    )


def test_without_doubt_the_improvement_is_certain_or_none():
    found = expected_improvement(np.array([1.0, 3.0]), np.zeros(2), 2.0)
    assert found.tolist() == [1.0, 0.0]


def test_doubt_is_worth_something_where_the_mean_is_no_better():
    found = expected_improvement(np.array([0.5, 0.5]), np.array([0.1, 1.0]), 0.0)
    assert 0 < found[0] < found[1]


def test_scores_are_normal_quantiles_of_the_ranks():
    found = normal_scores([30.0, 10.0, 20.0])
    expected = stats.norm.ppf((np.array([3, 1, 2]) - 0.375) / 3.25)
    assert found == pytest.approx(expected)


def test_equal_values_share_a_score_and_failures_are_the_worst():
    found = normal_scores([1.0, math.inf, 1.0, math.inf, 0.0])
    assert found[0] == found[2]
    assert found[1] == found[3] == found.max()
    assert found.argmin() == 4
    assert np.isfinite(found).all()
