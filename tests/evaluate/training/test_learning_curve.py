"""Whether a training is stopped follows from its history, the incumbent and its full length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.training.learning_curve import (
    LEARNING_CURVE,
    LEAST,
    CurveRule,
    first_stop,
    possible_gain,
    rule_of,
    stopped,
)
from evonas.testing.jobs import make_setup
from evonas.trial import Objective, Stopped

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")
EPOCHS = 30
RULE = CurveRule(incumbent=0.1, epochs=EPOCHS, after=0.4, margin=1.0)


def curve(function: Callable[[int], float], epochs: int = EPOCHS) -> list[float]:
    return [function(epoch) for epoch in range(1, epochs + 1)]


def history(values: Sequence[float], objective: Objective = LOSS) -> list[dict[str, float]]:
    return [{objective.name: value} for value in values]


PLATEAU = curve(lambda n: 0.5 + math.exp(-n))
FALLING = curve(lambda n: 2.3 - 0.08 * n)
LATE = curve(lambda n: 2.3 - 2.2 / (1 + math.exp((14 - n) / 2)))
NOISY = [0.4 + 0.2 * x for x in np.random.default_rng(0).normal(size=EPOCHS)]


def test_a_plateau_above_the_incumbent_is_stopped_as_soon_as_it_may_be() -> None:
    found = first_stop(PLATEAU, LOSS, RULE)
    assert found is not None
    assert (found.epoch, found.epochs, found.incumbent) == (12, 30, 0.1)
    assert 0.1 < found.at_best < 0.5


@pytest.mark.parametrize("values", [FALLING, LATE, NOISY], ids=["falling", "late", "noisy"])
def test_what_still_falls_falls_late_or_jumps_is_not_stopped(values: list[float]) -> None:
    assert first_stop(values, LOSS, RULE) is None


def test_what_has_reached_the_incumbent_is_never_stopped() -> None:
    """So the best trial of a run is never one that was stopped."""
    values = [0.09, *([5.0] * (EPOCHS - 1))]
    assert first_stop(values, LOSS, RULE) is None


def test_an_equal_is_not_better() -> None:
    found = first_stop([0.5] * EPOCHS, LOSS, replace(RULE, incumbent=0.5))
    assert found == Stopped(12, EPOCHS, 0.5, 0.5)


def test_an_accuracy_is_the_mirror_of_a_loss() -> None:
    for values, incumbent in ((PLATEAU, 0.1), (NOISY, -0.1), (LATE, 0.1), (FALLING, -5.0)):
        rule = replace(RULE, incumbent=incumbent, margin=0.0)
        loss = first_stop(values, LOSS, rule)
        mirrored = first_stop(
            [-value for value in values], ACCURACY, replace(rule, incumbent=-incumbent)
        )
        assert (loss is None) == (mirrored is None)
        if loss and mirrored:
            assert (mirrored.epoch, mirrored.at_best) == (loss.epoch, -loss.at_best)


@pytest.mark.parametrize("done", range(EPOCHS + 1))
def test_too_short_and_finished_ones_are_left_alone(done: int) -> None:
    found = stopped(history([1.0] * done), LOSS, RULE)
    assert (found is not None) == (12 <= done < EPOCHS)


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5, 6])
def test_a_short_training_has_its_first_epochs_in_any_case(epochs: int) -> None:
    rule = replace(RULE, epochs=epochs, after=0.01)
    found = first_stop([1.0] * epochs, LOSS, rule)
    assert (found.epoch if found else None) == (LEAST if epochs > LEAST else None)


def test_without_rule_or_incumbent_nothing_is_stopped() -> None:
    assert stopped(history(PLATEAU[:20]), LOSS, None) is None
    settings = {LEARNING_CURVE: {"after": 0.4, "margin": 1.0}}
    base: Setup = make_setup(directory="")  # type: ignore[arg-type]
    assert rule_of(base, 0.1, 30) is None
    assert rule_of(replace(base, stop=settings), None, 30) is None
    assert rule_of(replace(base, stop=settings), 0.1, 30) == RULE


def test_of_all_power_laws_with_a_slope_none_gains_more_than_is_trusted() -> None:
    """Without a margin, too, a power law that would reach the incumbent is not stopped."""
    for exponent in (0.05, 0.3, 1.0, 2.0, 4.0):
        for limit in (0.0, 0.09):
            values = curve(lambda n, exponent=exponent, limit=limit: limit + n**-exponent)  # type: ignore[misc]
            reached = values[-1] + 1e-9
            assert (
                first_stop(values, LOSS, replace(RULE, incumbent=reached, after=0.01, margin=0.0))
                is None
            )


def test_a_greater_margin_and_a_later_start_stop_less() -> None:
    values = curve(lambda n: 0.3 + 1.5 * n**-0.7)
    rule = replace(RULE, incumbent=0.35, after=0.2)
    ends = [first_stop(values, LOSS, replace(rule, margin=margin)) for margin in (0.0, 1.0, 3.0)]
    epochs = [EPOCHS if end is None else end.epoch for end in ends]
    assert epochs == sorted(epochs)
    assert epochs[0] < epochs[-1]
    late = first_stop(values, LOSS, replace(rule, margin=0.0, after=0.9))
    assert late is None or late.epoch >= 27


def test_the_better_the_incumbent_the_sooner_a_training_is_stopped() -> None:
    """Why a twin may take the outcome of an earlier trial, which had to reach less."""
    ends = [
        first_stop(FALLING, LOSS, replace(RULE, incumbent=goal))
        for goal in (0.5, 0.0, -1.0, -3.0, -9.0)
    ]
    epochs = [EPOCHS if end is None else end.epoch for end in ends]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[-1] < epochs[0]


@pytest.mark.parametrize(
    "values", [[0.0] * 9, [1e-300] * 9, [1e30, *[1.0] * 8], [3.0, 1e20, 2.0] * 3]
)
def test_every_finite_curve_has_a_finite_gain(values: list[float]) -> None:
    for objective in (LOSS, ACCURACY):
        gain = possible_gain(values, objective, EPOCHS, 1.0)
        assert math.isfinite(gain)
        assert gain >= 0


@pytest.mark.parametrize("margin", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("objective", [LOSS, ACCURACY])
def test_the_gain_is_its_formula_with_two_deviations_of_luck(
    objective: Objective, margin: float
) -> None:
    """Lines by NumPy: through all values; through the second half, which gives the deviation."""
    sign = 1 if objective is ACCURACY else -1
    rng = np.random.default_rng(1)
    for done in (4, 5, 9, 20):
        values = sign * np.log(np.arange(1, done + 1)) + rng.normal(scale=0.3, size=done)
        slopes = []
        for last in (done, max(4, math.ceil(done / 2))):
            x = np.log(np.arange(done - last + 1, done + 1))
            y = sign * values[-last:]
            slope, intercept = np.polyfit(x, y, 1)
            slopes.append(slope)
            errors = y - intercept - slope * x
            deviation = math.sqrt((errors**2).sum() / (last - 2))
        promised = max(*slopes, 0.0) * math.log(EPOCHS / done)
        expected = (1 + margin) * promised + 2 * deviation
        found = possible_gain(values.tolist(), objective, EPOCHS, margin)
        assert found == pytest.approx(expected)


def test_what_jumps_may_still_have_luck() -> None:
    """Hardly any slope: only the deviations around the line can reach the incumbent."""
    jumping = [0.5, 0.7] * 10
    spread = possible_gain(jumping, LOSS, EPOCHS, 0.0)
    assert 0.2 < spread < 0.23, "two deviations of 0.1, and of ten values a little more"
    for hope, stops in ((spread - 0.01, False), (spread + 0.01, True)):
        rule = CurveRule(incumbent=0.5 - hope, epochs=EPOCHS, after=0.4, margin=0.0)
        assert (stopped(history(jumping), LOSS, rule) is not None) is stops
