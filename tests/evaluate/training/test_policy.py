"""The best epoch and the end of a training follow from the history."""

from __future__ import annotations

import pytest

from evonas.evaluate.training.learning_curve import CurveRule
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")


def history(*values: float, name: str = "val_loss") -> list[dict[str, float]]:
    return [{name: value} for value in values]


def test_best_epoch_follows_the_direction() -> None:
    assert TrainingPolicy(LOSS).best_epoch(history(3.0, 1.0, 2.0)) == 1
    rising = history(0.3, 0.1, 0.2, name="val_accuracy")
    assert TrainingPolicy(ACCURACY).best_epoch(rising) == 0


def test_of_equal_epochs_the_earliest_is_the_best() -> None:
    assert TrainingPolicy(LOSS).best_epoch(history(2.0, 1.0, 1.0)) == 1
    equal = history(0.5, 0.9, 0.9, name="val_accuracy")
    assert TrainingPolicy(ACCURACY).best_epoch(equal) == 1


@pytest.mark.parametrize(
    ("values", "patience", "expected"),
    [
        ([], 1, False),
        ([1.0], 1, False),
        ([1.0, 2.0], 1, True),
        ([1.0, 1.0], 1, True),
        ([1.0, 2.0], 2, False),
        ([1.0, 2.0, 2.0], 2, True),
        ([3.0, 4.0, 2.0, 5.0], 2, False),
        ([1.0, 2.0, 3.0, 4.0], None, False),
    ],
)
def test_patience_ends_after_so_many_epochs_without_improvement(
    values: list[float], patience: int | None, expected: bool
) -> None:
    policy = TrainingPolicy(LOSS, patience)
    assert policy.is_exhausted(history(*values)) is expected
    assert policy.is_over(history(*values), epochs=9) is expected


def test_a_training_is_over_with_its_last_epoch() -> None:
    policy = TrainingPolicy(LOSS)
    assert not policy.is_over(history(3.0, 2.0), epochs=3)
    assert policy.is_over(history(3.0, 2.0, 1.0), epochs=3)
    assert policy.is_over(history(3.0, 2.0, 1.0), epochs=2), "a checkpoint may be further"


def test_a_hopeless_curve_ends_a_training() -> None:
    flat = history(1.0, 1.0, 1.0, 1.0, 1.0)
    hopeless = CurveRule(incumbent=0.5, epochs=9, after=0.5, margin=1.0)
    policy = TrainingPolicy(LOSS, curve=hopeless)
    assert policy.stopped(flat[:4]) is None
    assert not policy.is_over(flat[:4], epochs=9)
    stop = policy.stopped(flat)
    assert stop is not None
    assert (stop.epoch, stop.incumbent) == (5, 0.5)
    assert policy.is_over(flat, epochs=9)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="val_accuracy"):
        TrainingPolicy(ACCURACY).best_epoch(history(1.0))
    with pytest.raises(ValueError, match=r"at least 1, or None\. Received: 0"):
        TrainingPolicy(LOSS, patience=0)
