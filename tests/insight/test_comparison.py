"""Curves of best-so-far values against the budget."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from evonas.genome import Gene, Genome
from evonas.insight.comparison import area, band, charged_epochs, curve, front_curve
from evonas.insight.front import Box
from evonas.trial import Fidelity, Fitness, Lineage, Proposal, Trial, TrialState

GENOME = Genome((("features", (Gene("dense", ()),)),))


def trial(id: int, value: float | None, **more: object) -> Trial:
    fitness = None if value is None else Fitness(value, "min")
    state = TrialState.OK if value is not None else TrialState.DIVERGED
    return replace(
        Trial(id, Proposal(GENOME, Fidelity(9), Lineage("sample")), state=state, fitness=fitness),
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
    assert math.isnan(area(found, 1.0))
    assert found.reaches(1.0, "min") is None
    assert math.isnan(curve([], {}).final)
    assert np.isnan(curve([], {}).at(np.array([1.0]))).all()


def test_epochs_are_charged_as_asked_and_continued_ones_once() -> None:
    longer = Proposal(GENOME, Fidelity(27), Lineage("promote", (0,)), resume_from=0)
    twin = trial(2, 1.0, twin_of=0)
    assert charged_epochs([trial(0, 1.0), Trial(1, longer), twin]) == {0: 9.0, 1: 18.0}


def test_the_area_is_the_mean_best_value_from_the_first_success_on() -> None:
    flat = curve([trial(0, 2.0)], {0: 0.0})
    assert area(flat, 100.0) == pytest.approx(2.0)
    half = curve([trial(0, 2.0), trial(1, 1.0)], {0: 0.0, 1: 50.0})
    assert area(half, 100.0) == pytest.approx(1.5, abs=0.01)


def test_a_band_has_the_mean_and_covers_it() -> None:
    curves = [curve([trial(0, value)], {0: 0.0}) for value in (1.0, 2.0, 3.0, 6.0)]
    found = band(curves, 10.0)
    assert found.mean == pytest.approx(3.0)
    assert (found.low < 3.0).all()
    assert (found.high > 3.0).all()
    assert (found.low >= 1.0).all()
    assert (found.high <= 6.0).all()


def test_a_band_begins_where_every_run_has_a_success() -> None:
    curves = [curve([trial(0, 1.0)], {0: 0.0}), curve([trial(0, 1.0)], {0: 5.0})]
    found = band(curves, 10.0)
    assert np.isnan(found.mean[found.budget < 5]).all()
    assert np.isfinite(found.mean[found.budget >= 5]).all()


def test_the_bootstrap_agrees_with_scipys() -> None:
    from scipy.stats import bootstrap

    values = (1.0, 2.0, 3.0, 6.0, 4.0)
    found = band([curve([trial(0, value)], {0: 0.0}) for value in values], 1.0)
    theirs = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=9999, rng=1
    ).confidence_interval
    assert found.low[0] == pytest.approx(theirs.low, abs=0.15)
    assert found.high[0] == pytest.approx(theirs.high, abs=0.15)


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
