"""Differences of two strategies, seed by seed, and their tests."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from evonas.insight.paired import Difference, difference, holm, sign_test
from evonas.insight.scale import Scale, scale_of
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")
NONE = math.nan


def compared(
    first: list[float], second: list[float], objective: Objective = LOSS, samples: int = 0
) -> Difference:
    scale = scale_of(objective, [*first, *second], samples)
    return difference(first, second, scale)


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    ours, theirs = [0.95, 0.97, 0.96, 0.98], [0.94, 0.95, 0.96, 0.95]
    found = compared(ours, theirs, ACCURACY)
    expected = stats.ttest_rel(ours, theirs)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(expected.pvalue)
    assert found.mean == pytest.approx(0.015)
    assert found.seeds == 4
    assert not found.is_by_signs


def test_losses_are_compared_by_their_logarithms() -> None:
    """A loss that is halved is the same lead, however small the loss is."""
    ours, theirs = [0.5, 0.06, 0.008], [1.0, 0.11, 0.018]
    found = compared(ours, theirs)
    logs = [[math.log(value) for value in values] for values in (theirs, ours)]
    expected = stats.ttest_rel(*logs).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.is_ahead


def test_a_loss_below_zero_has_no_logarithm() -> None:
    found = difference([1.0, -2.0], [2.0, 1.0], scale_of(LOSS, [1.0, -2.0]))
    assert found.mean == pytest.approx(2.0)


def test_a_seed_without_a_success_is_the_worst() -> None:
    """It was left out once, and the one that failed was called the winner."""
    found = compared([1.0, NONE, 1.5], [2.0, 2.0, 2.0])
    assert found.seeds == 3
    assert found.failures == (1, 0)
    assert (found.wins, found.losses) == (2, 1)
    assert found.is_by_signs
    assert math.isnan(found.mean)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert found.p == 1.0


def test_two_failures_of_one_seed_tie() -> None:
    found = compared([NONE, 1.0, NONE], [NONE, NONE, 2.0])
    assert found.failures == (2, 2)
    assert (found.wins, found.losses) == (1, 1)


def test_the_worst_is_the_least_where_more_is_better() -> None:
    found = compared([0.1, NONE], [NONE, 0.1], ACCURACY)
    assert (found.wins, found.losses) == (1, 1)


@pytest.mark.parametrize(("seeds", "is_shown"), [(5, False), (6, True)])
def test_failures_everywhere_are_shown_from_six_seeds_on(seeds: int, is_shown: bool) -> None:
    found = compared([1.0] * seeds, [NONE] * seeds)
    assert (found.p <= 0.05) == is_shown
    assert found.is_ahead


def test_the_sign_test_is_exact_and_drops_ties() -> None:
    assert sign_test(9, 1) == pytest.approx(22 / 1024)
    assert sign_test(1, 9) == sign_test(9, 1)
    assert sign_test(0, 0) == 1.0
    found = compared([1.0] * 3 + [NONE] * 4, [2.0] * 3 + [NONE] * 4)
    assert found.p == sign_test(3, 0) == 0.25


def test_equal_differences_say_nothing_about_how_they_vary() -> None:
    """Two pairs of a coarse table are often equal, and would give an interval of no width."""
    found = compared([0.92, 0.92], [0.91, 0.91], ACCURACY)
    assert found.is_by_signs
    assert found.p == 0.5
    assert found.mean == found.step == pytest.approx(0.01)


def test_so_do_differences_of_one_size_and_ties() -> None:
    """A table with two good entries: its t test claims too much, the sign test does not."""
    ours = [0.92] * 5 + [0.91] * 5
    found = compared(ours, [0.91] * 10, ACCURACY)
    assert stats.ttest_rel(ours, [0.91] * 10).pvalue < 0.02
    assert found.is_by_signs
    assert found.p == sign_test(5, 0) > 0.05
    assert (found.mean, found.step) == pytest.approx((0.005, 0.01))
    third = compared([0.93, *ours[1:]], [0.91] * 10, ACCURACY)
    assert not third.is_by_signs
    assert math.isnan(third.step)


def test_rounding_makes_no_difference_differ() -> None:
    """Keras has float32: one sample of thirty more is not the same number everywhere."""
    found = compared([0.93333334, 0.9666667], [0.9, 0.93333331], ACCURACY, samples=30)
    assert found.is_by_signs
    assert (found.wins, found.losses) == (2, 0)
    equal = compared([0.93333334, 0.9], [0.93333331, 0.9], ACCURACY, samples=30)
    assert (equal.wins, equal.losses) == (0, 0)
    assert equal.p == 1.0


def test_no_interval_of_an_accuracy_is_narrower_than_one_sample() -> None:
    ours = [27 / 30] * 5
    theirs = [26 / 30] * 4 + [25 / 30]
    known = compared(ours, theirs, ACCURACY, samples=30)
    table = compared(ours, theirs, ACCURACY)
    assert (known.high - known.low) / 2 == pytest.approx(1 / 30, rel=0.01)
    assert (table.high - table.low) / 2 < 0.6 / 30
    assert known.p > table.p


def test_a_lead_of_one_sample_is_not_shown() -> None:
    ours = [27 / 30] * 10
    theirs = [26 / 30] * 8 + [27 / 30, 25 / 30]
    found = compared(ours, theirs, ACCURACY, samples=30)
    assert found.mean == pytest.approx(1 / 30)
    assert found.low < 0
    assert found.p > 0.05


def test_an_interval_excludes_zero_if_the_test_shows_a_difference() -> None:
    for theirs in ([0.91, 0.93, 0.90], [0.90, 0.93, 0.905], [0.80, 0.81, 0.83]):
        found = compared([0.92, 0.93, 0.915], theirs, ACCURACY, samples=200)
        assert (found.low > 0) == (found.p <= 0.05)


@pytest.mark.parametrize(
    ("first", "second"), [([1.0], [2.0]), ([NONE], [2.0]), ([NONE, NONE], [NONE, NONE])]
)
def test_one_seed_and_no_success_show_nothing(first: list[float], second: list[float]) -> None:
    found = compared(first, second)
    assert found.p == 1.0
    assert found.is_by_signs


def test_holm_is_the_step_down_of_the_paper() -> None:
    """The example of Holm (1979) in many textbooks: 0.01, 0.04, 0.03, 0.005."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.04]) == [0.04]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_standard_error_is_that_of_the_interval() -> None:
    ours, theirs = [0.95, 0.97, 0.96, 0.98], [0.94, 0.95, 0.96, 0.95]
    found = compared(ours, theirs, ACCURACY)
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    assert found.standard_error == pytest.approx(stats.sem(gains))


def test_a_scale_without_losses_is_linear() -> None:
    assert difference([3.0, 5.0], [1.0, 1.0], Scale(ACCURACY)).mean == 3.0
