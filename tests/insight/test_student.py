"""Student's t interval, and the lead that it can show, against SciPy and against draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evonas.insight.student import critical, detectable, half_width


def test_the_half_width_is_scipys() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0, 4.0])
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert float(half_width(values)) == pytest.approx((expected.high - expected.low) / 2)


def test_it_is_taken_over_the_first_axis() -> None:
    values = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    found = half_width(values)
    assert found[0] == pytest.approx(float(half_width(values[:, 0])))
    assert found[1] == 0


def test_it_is_not_less_than_what_is_believed() -> None:
    values = np.array([0.9, 0.9, 0.9])
    assert float(half_width(values, 1 / 30)) == 1 / 30


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 34), (0.8, 15)])
def test_the_lead_is_that_of_the_power_analysis(effect: float, seeds: int) -> None:
    """Cohen's tables: 34 pairs for half a deviation, 15 for 0.8, at 80 % and 5 %, two-sided."""
    # The tables give the least number of pairs: one less shows a greater lead only.
    assert detectable(seeds) / math.sqrt(seeds) <= effect
    assert detectable(seeds - 1) / math.sqrt(seeds - 1) > effect


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("comparisons", [1, 3])
def test_such_a_lead_is_shown_four_times_of_five(seeds: int, comparisons: int) -> None:
    """The power analysis, held against real t tests of drawn differences."""
    level = 0.05 / comparisons
    lead = detectable(seeds, 1 - level) / math.sqrt(seeds)
    rng = np.random.default_rng(0)
    drawn = rng.normal(lead, 1.0, size=(20_000, seeds))
    shown = (stats.ttest_1samp(drawn, 0.0, axis=1).pvalue <= level).sum()
    # What 20,000 draws of a share of 0.8 can be, but for one time in a million.
    assert stats.binomtest(int(shown), 20_000, 0.8).pvalue > 1e-6


def test_a_stricter_test_has_a_wider_interval_and_shows_less() -> None:
    assert critical(5) == pytest.approx(2.776, abs=0.001)
    assert critical(5, 0.99) > critical(5)
    assert detectable(5, 0.99) > detectable(5)
