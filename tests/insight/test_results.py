"""The rows of a comparison: means over seeds and over every fresh training, in their own metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evonas.insight.comparison import Curve
from evonas.insight.results import Comparison, Result, deviation, mean, median
from evonas.insight.scale import Scale
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")


def result(
    values: Sequence[float],
    fresh: Sequence[tuple[float, float]] = (),
    test: float | None = None,
    **counts: int,
) -> Result:
    """A run that spends 10 a trial.

    Args:
        values: best value after each trial.
        fresh: validation and test loss of each fresh training.
        test: the winner's own test loss.
    """
    spent = 10.0 * np.arange(1, len(values) + 1)
    numbers = {"trials": len(values), "twins": 0, "failures": 0, "reused": 0, **counts}
    return Result(
        curve=Curve(spent, np.array(values, float)),
        winner={"val_loss": values[-1]},
        test={} if test is None else {"test_loss": test},
        fresh=[{"val_loss": a, "test_loss": b} for a, b in fresh],
        **numbers,
    )


def compared(*results: Result, target: float = 2.0) -> Comparison:
    """One strategy `a`, a seed for each of these results."""
    seeds = dict(enumerate(results))
    return Comparison(
        directory=Path("x"),
        objective=LOSS,
        objectives=[LOSS],
        box=None,
        unit="epochs",
        budget=40.0,
        target=target,
        reference="a",
        scale=Scale(LOSS),
        results={"a": seeds},
        sentences=[],
    )


def test_fresh_scores_are_means_over_every_training_of_every_seed() -> None:
    first = result([9.0], [(1.0, 10.0), (2.0, 20.0)])
    second = result([9.0], [(6.0, 70.0)])
    (row,) = compared(first, second).rows()
    assert row["fresh"] == pytest.approx(3.0)
    assert row["fresh_test"] == pytest.approx(100 / 3)


def test_each_score_is_that_of_its_own_data() -> None:
    """The winner's own validation score, its test score, and both of fresh trainings."""
    (row,) = compared(result([1.0], [(2.0, 3.0)], test=4.0)).rows()
    found = [row[name] for name in ("final", "fresh", "fresh_test", "test")]
    assert found == [1.0, 2.0, 3.0, 4.0]


def test_without_fresh_trainings_and_test_scores_there_are_none() -> None:
    (row,) = compared(result([1.0])).rows()
    assert [row[name] for name in ("fresh", "fresh_test", "test")] == [None, None, None]


def test_counts_and_times_are_means_over_seeds() -> None:
    first = result([4.0, 2.0, 1.0], twins=1, failures=2, reused=3)
    second = result([4.0, 3.0, 2.0, 2.0], twins=2, failures=5, reused=8)
    third = result([4.0, 3.0, 3.0, 3.0])
    (row,) = compared(first, second, third).rows()
    assert row["seeds"] == 3
    assert row["reached_target"] == 2
    # One seed never reached it, so that there is no mean: the other two are the quick ones.
    assert row["epochs_to_target"] is None
    assert row["epochs_to_target_median"] == 30
    assert row["trials"] == pytest.approx(11 / 3)
    assert [row[name] for name in ("twins", "failures", "reused")] == pytest.approx(
        [1.0, 7 / 3, 11 / 3]
    )


def test_the_time_to_the_target_is_a_mean_if_all_seeds_reached_it() -> None:
    (row,) = compared(result([4.0, 2.0]), result([4.0, 3.0, 2.0])).rows()
    assert row["reached_target"] == 2
    assert row["epochs_to_target"] == pytest.approx((20 + 30) / 2)
    (few,) = compared(result([4.0, 2.0]), result([4.0]), result([5.0])).rows()
    assert (few["epochs_to_target"], few["epochs_to_target_median"]) == (None, None)


def test_a_seed_that_found_nothing_is_counted_and_leaves_no_mean() -> None:
    """The mean of the other seeds was printed once, as if it were that of all."""
    nothing = result([math.nan, math.nan])
    scored = result([4.0, 2.0], [(1.0, 10.0)], test=3.0)
    (row,) = compared(scored, result([4.0, 1.0]), nothing).rows()
    assert (row["seeds"], row["failed_seeds"]) == (3, 1)
    means = [row[name] for name in ("final", "final_deviation", "fresh", "fresh_test", "test")]
    assert means == [None] * 5
    assert row["final_median"] == 2.0
    (mostly,) = compared(scored, nothing, nothing).rows()
    assert mostly["final_median"] is None
    (whole,) = compared(scored, result([4.0, 1.0])).rows()
    assert (whole["failed_seeds"], whole["final"], whole["final_median"]) == (0, 1.5, 1.5)


def test_the_area_of_a_seed_that_found_nothing_is_the_worst() -> None:
    good = result([4.0, 1.0])
    (row,) = compared(good, result([math.nan])).rows()
    (alone,) = compared(good).rows()
    # It counts as 4, the worst first success of all runs.
    assert row["area"] == pytest.approx((alone["area"] + 4.0) / 2)
    (none,) = compared(result([math.nan])).rows()
    assert none["area"] is None


def test_a_fresh_training_that_failed_is_counted_and_leaves_no_mean() -> None:
    run = result([1.0], [(2.0, 3.0)])
    failed = replace(run, fresh=[*run.fresh, {}])
    (row,) = compared(failed, run).rows()
    assert (row["fresh"], row["fresh_test"], row["fresh_failures"]) == (None, None, 1)
    (whole,) = compared(run, run).rows()
    assert (whole["fresh"], whole["fresh_failures"]) == (2.0, 0)


def test_the_deviation_is_that_of_a_sample_and_one_value_has_none() -> None:
    assert deviation([1.0, 3.0]) == pytest.approx(math.sqrt(2))
    assert deviation([1.0]) is None
    assert mean([1.0, 3.0]) == 2.0
    assert mean([]) is None


def test_there_is_no_mean_of_what_is_not_finite() -> None:
    """It was the mean of the others once: a strategy looked the better, the more seeds failed."""
    assert mean([1.0, 3.0, math.nan]) is None
    assert deviation([1.0, 3.0, math.inf]) is None
    assert median([1.0, 3.0, math.nan], math.inf) == 3.0
    assert median([0.9, 0.7, math.nan], -math.inf) == 0.7
    assert median([1.0, math.nan], math.inf) is None
    assert median([], math.inf) is None
