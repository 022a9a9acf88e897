"""Curves of best-so-far values against the budget."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evonas.genome import Gene, Genome
from evonas.insight.comparison import (
    Curve,
    area,
    band,
    charged_epochs,
    curve,
    front_curve,
    worst_start,
)
from evonas.insight.front import Box
from evonas.insight.scale import Scale
from evonas.trial import Fidelity, Fitness, Lineage, Objective, Proposal, Trial, TrialState

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")
GENOME = Genome((("features", (Gene("dense", ()),)),))


def trial(id: int, value: float | None, **more: object) -> Trial:
    fitness = None if value is None else Fitness(value, "min")
    state = TrialState.OK if value is not None else TrialState.DIVERGED
    return replace(
        Trial(
            id, Proposal(GENOME, Fidelity(9), Lineage(("sample",))), state=state, fitness=fitness
        ),
        **more,
    )


TRIALS = [trial(0, None), trial(1, 3.0), trial(2, 4.0), trial(3, 1.0)]
COST = {0: 10.0, 1: 10.0, 2: 5.0, 3: 5.0}


def test_a_curve_is_the_best_value_against_what_was_spent() -> None:
    found = curve(TRIALS, COST)
    assert found.spent.tolist() == [10, 20, 25, 30]
    assert found.best.tolist()[1:] == [3, 3, 1]
    assert math.isnan(found.best[0])
    assert found.final == 1


def test_a_curve_is_a_step_function() -> None:
    values = curve(TRIALS, COST).at(np.array([0.0, 19.9, 20.0, 29.0, 30.0, 99.0]))
    assert np.isnan(values[:2]).all()
    assert values[2:].tolist() == [3, 3, 1, 1]


def test_the_target_is_reached_where_the_best_first_is_as_good() -> None:
    found = curve(TRIALS, COST)
    assert found.reaches(3.0, "min") == 20
    assert found.reaches(2.9, "min") == 30
    assert found.reaches(0.9, "min") is None


def test_no_success_is_no_curve_and_no_error() -> None:
    found = curve([trial(0, None)], {0: 1.0})
    assert math.isnan(found.final)
    assert math.isnan(area(found, 1.0, math.nan))
    assert found.reaches(1.0, "min") is None
    assert math.isnan(curve([], {}).final)
    assert np.isnan(curve([], {}).at(np.array([1.0]))).all()


def test_epochs_are_charged_as_asked_and_continued_ones_once() -> None:
    longer = Proposal(GENOME, Fidelity(27), Lineage(("promote",), (0,)), resume_from=0)
    twin = trial(2, 1.0, twin_of=0)
    assert charged_epochs([trial(0, 1.0), Trial(1, longer), twin]) == {0: 9.0, 1: 18.0}


def constant(value: float, begin: float = 0.0) -> Curve:
    """A run that has this value from its first success on."""
    return Curve(np.array([begin]), np.array([value]))


def test_the_area_is_the_mean_best_value() -> None:
    flat = curve([trial(0, 2.0)], {0: 0.0})
    assert area(flat, 100.0, 9.0) == pytest.approx(2.0)
    half = curve([trial(0, 2.0), trial(1, 1.0)], {0: 0.0, 1: 50.0})
    assert area(half, 100.0, 9.0) == pytest.approx(1.5, rel=1e-12)


def test_the_time_before_the_first_success_counts_in_the_area() -> None:
    """It was left out once, so that a run that failed for long had the area of its end."""
    late = constant(2.0, begin=50.0)
    assert area(late, 100.0, 6.0) == pytest.approx(4.0, rel=1e-12)
    assert area(constant(math.nan), 100.0, 6.0) == pytest.approx(6.0)


def test_it_counts_as_the_worst_first_success_of_all_runs() -> None:
    curves = [
        Curve(np.arange(3.0), np.array([math.nan, 3.0, 1.0])),
        Curve(np.arange(3.0), np.array([5.0, 2.0, 2.0])),
        constant(math.nan),
        Curve(np.array([]), np.array([])),
    ]
    assert worst_start(curves, "min") == 5.0
    assert worst_start(curves, "max") == 3.0
    assert math.isnan(worst_start(curves[2:], "min"))


def test_no_run_has_a_worse_area_than_one_that_found_nothing() -> None:
    curves = [constant(3.0, begin=90.0), constant(9.0, begin=10.0), constant(math.nan)]
    start = worst_start(curves, "min")
    areas = [area(one, 100.0, start) for one in curves]
    assert max(areas) == areas[2] == 9.0


def test_a_band_is_the_t_interval_of_the_mean() -> None:
    values = [0.91, 0.95, 0.93, 0.96, 0.94]
    found = band([constant(value) for value in values], 10.0, Scale(ACCURACY))
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert found.middle == pytest.approx(np.mean(values))
    assert found.low == pytest.approx(expected.low)
    assert found.high == pytest.approx(expected.high)
    assert found.is_interval
    assert (found.runs, found.failed) == (5, 0)


def test_the_band_of_losses_is_that_of_their_logarithms() -> None:
    values = [0.02, 0.03, 0.05, 0.11]
    scale = Scale(LOSS, is_logarithmic=True)
    found = band([constant(value) for value in values], 10.0, scale)
    expected = stats.ttest_1samp(np.log(values), 0.0).confidence_interval(0.95)
    assert found.middle == pytest.approx(stats.gmean(values))
    assert found.low == pytest.approx(math.exp(expected.low))
    assert found.high == pytest.approx(math.exp(expected.high))


def test_below_four_runs_there_is_the_range_and_no_interval() -> None:
    """The bootstrap interval of three seeds covered 76 %, not 95 %."""
    values = [0.91, 0.95, 0.93]
    found = band([constant(value) for value in values], 10.0, Scale(ACCURACY))
    assert not found.is_interval
    assert found.middle == pytest.approx(0.93)
    assert (found.low[-1], found.high[-1]) == (0.91, 0.95)
    assert band([constant(0.9)] * 4, 10.0, Scale(ACCURACY)).is_interval


def test_no_band_of_accuracies_is_narrower_than_one_sample_or_beyond_100_percent() -> None:
    scale = Scale(ACCURACY, sample=1 / 40)
    narrow = band([constant(0.9)] * 5, 10.0, scale)
    assert (narrow.low[-1], narrow.high[-1]) == pytest.approx((0.875, 0.925))
    high = band([constant(0.99)] * 5, 10.0, scale)
    assert (high.low[-1], high.high[-1]) == pytest.approx((0.965, 1.0))
    percent = band([constant(99.0), constant(97.0)] * 2, 10.0, Scale(ACCURACY, False, False))
    assert percent.high[-1] > 99


def test_a_band_begins_where_every_run_has_a_success() -> None:
    found = band([constant(1.0), constant(1.0, begin=5.0)], 10.0, Scale(LOSS))
    assert np.isnan(found.middle[found.budget < 5]).all()
    assert np.isfinite(found.middle[found.budget >= 5]).all()


def test_a_run_without_a_success_leaves_a_median_in_which_it_is_the_worst() -> None:
    none = constant(math.nan)
    losses = [constant(1.0), constant(2.0), constant(4.0), none, none]
    found = band(losses, 10.0, Scale(LOSS, is_logarithmic=True))
    assert found.middle == pytest.approx(4.0)
    assert not found.is_interval
    assert (found.runs, found.failed) == (5, 2)
    accuracies = band([constant(0.7), constant(0.9), none], 10.0, Scale(ACCURACY))
    assert accuracies.middle == pytest.approx(0.7)
    assert np.isnan(band([constant(1.0), none, none], 10.0, Scale(LOSS)).middle).all()


def test_a_curve_of_several_objectives_is_the_hypervolume_from_nothing_on() -> None:
    points = [None, (5.0, 2.0), (6.0, 3.0), (0.0, 3.0)]
    found = front_curve(np.array([1.0, 2.0, 2.0, 4.0]), points, Box((0.0, 0.0), (10.0, 4.0)))
    assert found.spent.tolist() == [0, 1, 2, 2, 4]
    assert found.best.tolist() == pytest.approx([0, 0, 0.25, 0.25, 0.375])
    assert found.at(np.array([0.0, 1.9, 2.0, 4.0])).tolist() == pytest.approx([0, 0, 0.25, 0.375])


def test_a_front_without_members_has_no_volume_and_without_a_box_there_is_no_measure() -> None:
    spent = np.array([1.0, 2.0])
    assert front_curve(spent, [None, None], Box((0.0,), (1.0,))).final == 0
    assert math.isnan(front_curve(spent, [None, None], None).final)


def test_a_value_that_violates_the_constraints_is_never_the_best() -> None:
    """However good it is: a curve is of what a user may take home."""
    beyond = Fitness(0.1, "min", violation=0.5)
    trials = [trial(0, 9.0, fitness=beyond), trial(1, 3.0), trial(2, 9.0, fitness=beyond)]
    found = curve([*trials, trial(3, 2.0)], dict.fromkeys(range(4), 1.0))
    assert math.isnan(found.best[0])
    assert found.best.tolist()[1:] == [3.0, 3.0, 2.0]
    assert found.reaches(0.1, "min") is None
