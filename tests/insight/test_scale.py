"""The scale of an objective: logarithms of losses, accuracies as they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evonas.insight.scale import scale_of
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")


def test_losses_are_averaged_by_their_logarithms() -> None:
    values = [0.01, 0.1, 0.5]
    scale = scale_of(LOSS, values)
    assert scale.is_logarithmic
    assert scale.mean(values) == pytest.approx(stats.gmean(values))


@pytest.mark.parametrize("values", [[0.1, 0.0], [0.1, -2.0], [math.nan], []])
def test_a_value_that_has_no_logarithm_leaves_all_as_they_are(values: list[float]) -> None:
    assert not scale_of(LOSS, values).is_logarithmic


def test_what_is_maximised_is_averaged_as_it_is() -> None:
    scale = scale_of(ACCURACY, [0.5, 0.9])
    assert not scale.is_logarithmic
    assert scale.mean([0.5, 0.9]) == pytest.approx(0.7)


def test_only_an_accuracy_knows_what_a_sample_is_worth() -> None:
    assert scale_of(ACCURACY, [0.9], 40).sample == 1 / 40
    assert scale_of(ACCURACY, [0.9], 0).sample == 0
    assert scale_of(LOSS, [0.9], 40).sample == 0
    # A table in percent was not measured on the samples of this run.
    assert scale_of(ACCURACY, [93.4], 40).sample == 0
    weighted = Objective("accuracy", "max", weights=(("val_accuracy", 1.0), ("flops", -1e-9)))
    assert scale_of(weighted, [0.9], 40).sample == 0


def test_a_failure_is_below_everything_and_more_is_better() -> None:
    scale = scale_of(LOSS, [1e-300, 1e300])
    heights = scale.heights([1e300, 0.5, math.nan, math.inf, 1e-300])
    assert heights[1:4].tolist() == [pytest.approx(math.log(2)), -math.inf, -math.inf]
    assert heights[4] > heights[1] > heights[0] > heights[2]


def test_the_ends_of_a_wide_interval_are_numbers() -> None:
    scale = scale_of(LOSS, [0.1])
    ends = scale.back(np.array([-1e6, 1e6]))
    assert np.isfinite(ends).all()
    assert (ends > 0).all()
