"""Sentences about strategies, and the statistics behind them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evonas.insight.comparison import HYPERVOLUME, Band
from evonas.insight.verdict import amount, difference, seeds_needed, sentence, share_needed
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    ours, theirs = [0.95, 0.97, 0.96, 0.98], [0.94, 0.95, 0.96, 0.95]
    found = difference(ours, theirs, ACCURACY)
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(0.015)
    assert found.seeds == 4


def test_less_is_better_where_the_objective_is_minimised() -> None:
    assert difference([1.0, 1.1], [2.0, 2.2], LOSS).mean == pytest.approx(1.05)


def test_a_seed_without_a_success_is_left_out() -> None:
    assert difference([1.0, math.nan, 1.5], [2.0, 2.0, 2.0], LOSS).seeds == 2


def test_the_seeds_needed_are_those_of_the_power_analysis() -> None:
    """Cohen's tables, two-sided, at 80 % and 5 %.

    34 pairs for an effect of half a standard deviation, 15 for 0.8.
    """
    assert seeds_needed(0.5, 1.0) == 34
    assert seeds_needed(0.8, 1.0) == 15
    assert seeds_needed(-0.8, 1.0) == 15
    assert seeds_needed(0.0, 1.0) is None
    assert seeds_needed(0.01, 1.0) is None


def test_as_many_seeds_as_needed_do_show_it_four_times_of_five() -> None:
    """The power analysis, held against real t tests of drawn differences."""
    rng = np.random.default_rng(0)
    drawn = rng.normal(1.0, 1.5, size=(4000, seeds_needed(1.0, 1.5) or 0))
    shown = (stats.ttest_1samp(drawn, 0.0, axis=1).pvalue < 0.05).mean()
    assert shown == pytest.approx(0.8, abs=0.03)


def test_a_shown_difference_is_told_with_its_interval_and_the_share_of_the_budget() -> None:
    found = difference([0.980, 0.981, 0.979], [0.975, 0.977, 0.976], ACCURACY)
    words = sentence("evolution", "random", found, ACCURACY, "trials", 0.38)
    assert words.startswith("evolution beats random by 0.40 points (95 % interval ")
    assert words.endswith("3 seeds) and needs 38% of its trials.")


def test_a_hypervolume_is_no_accuracy_and_an_empty_front_is_reached_with_nothing() -> None:
    found = difference([0.512, 0.52, 0.51], [0.5, 0.508, 0.4983], HYPERVOLUME)
    words = sentence("nsga2", "random", found, HYPERVOLUME, "trials", 0.0)
    assert words.startswith("nsga2 beats random by 0.0119 in hypervolume (95 % interval 0.01")
    assert words.endswith("3 seeds).")


def test_the_loser_is_told_as_the_loser() -> None:
    found = difference([2.0, 2.1, 2.0], [1.0, 1.0, 1.1], LOSS)
    assert sentence("evolution", "random", found, LOSS, "trials", None).startswith(
        "random beats evolution by 1 in val_loss (95 % interval "
    )


def test_noise_is_called_so_with_the_seeds_that_would_tell() -> None:
    found = difference([1.0, 1.2, 1.1, 1.4, 1.0], [1.1, 1.1, 1.3, 1.2, 1.2], LOSS)
    words = sentence("evolution", "random", found, LOSS, "trials", None)
    assert words.startswith("No difference between evolution and random can be shown at 5 seeds")
    assert words.endswith(f"{found.needed:,} would be needed.")


def test_one_seed_and_no_success_are_told_as_what_they_are() -> None:
    assert sentence("a", "b", difference([1.0], [2.0], LOSS), LOSS, "trials", None).startswith(
        "One seed shows nothing"
    )
    nothing = difference([math.nan], [1.0], LOSS)
    assert "cannot be compared" in sentence("a", "b", nothing, LOSS, "trials", None)


def test_the_share_is_where_the_mean_curve_is_as_good() -> None:
    grid = np.array([0.0, 25.0, 50.0, 100.0])
    flat = Band(grid, np.array([np.nan, 3.0, 2.0, 1.0]), grid, grid)
    assert share_needed(flat, 2.0, LOSS) == 0.5
    assert share_needed(flat, 0.5, LOSS) is None


def test_an_accuracy_is_told_in_points() -> None:
    assert amount(0.004, ACCURACY) == "0.40 points"
    assert amount(0.004, LOSS) == "0.004 in val_loss"


@pytest.mark.parametrize("scale", [1, 100])
def test_an_accuracy_in_percent_is_told_in_the_same_points_as_a_fraction(scale: int) -> None:
    """Tables of published searches have 93.37 where Keras has 0.9337."""
    ours, theirs = (
        np.array([0.9337, 0.9351, 0.9342]) * scale,
        np.array([0.9296, 0.9310, 0.9305]) * scale,
    )
    found = difference([*ours], [*theirs], ACCURACY)
    words = sentence("evolution", "random", found, ACCURACY, "trials", None)
    assert words == "evolution beats random by 0.40 points (95 % interval 0.34 to 0.45, 3 seeds)."
    one = sentence(
        "evolution",
        "random",
        difference([*ours[:1]], [*theirs[:1]], ACCURACY),
        ACCURACY,
        "trials",
        None,
    )
    assert one.endswith("the difference is 0.41 points.")
    noise = difference([*ours, theirs[0]], [*theirs, ours[0] + 0.0002 * scale], ACCURACY)
    assert "(evolution leads by 0.19 points, 95 % interval -" in sentence(
        "evolution", "b", noise, ACCURACY, "trials", None
    )


@pytest.mark.parametrize("deviation", [0.02, 10.0])
def test_the_seeds_needed_follow_from_the_lead_in_deviations(deviation: float) -> None:
    """Cohen's tables again, in other units: a lead alone needs no number of seeds."""
    assert seeds_needed(0.5 * deviation, deviation) == 34
    assert seeds_needed(0.8 * deviation, deviation) == 15
    gains = deviation * np.array([-1.0, 0.0, 1.0]) + 0.8 * deviation
    assert difference([*gains], [0.0] * 3, ACCURACY).needed == 15


def test_a_lead_that_never_varies_is_shown_by_two_seeds() -> None:
    """An interval of no width: whatever the lead, two seeds are the fewest that have one."""
    assert seeds_needed(1e-9, 0.0) == seeds_needed(5.0, 0.0) == 2
    found = difference([0.75, 0.5, 0.25], [0.5, 0.25, 0.0], ACCURACY)
    assert (found.low, found.high, found.needed) == (0.25, 0.25, 2)
    assert seeds_needed(0.0, 0.0) is None
