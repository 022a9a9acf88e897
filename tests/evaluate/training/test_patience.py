"""The best epoch and the end of a training follow from the history."""

from __future__ import annotations

import pytest

from evonas.evaluate.training.patience import best_epoch, is_exhausted
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")


def history(*values: float, name: str = "val_loss") -> list[dict[str, float]]:
    return [{name: value} for value in values]


def test_best_epoch_follows_the_direction() -> None:
    assert best_epoch(history(3.0, 1.0, 2.0), LOSS) == 1
    assert best_epoch(history(0.3, 0.1, 0.2, name="val_accuracy"), ACCURACY) == 0


def test_of_equal_epochs_the_earliest_is_the_best() -> None:
    assert best_epoch(history(2.0, 1.0, 1.0), LOSS) == 1
    assert best_epoch(history(0.5, 0.9, 0.9, name="val_accuracy"), ACCURACY) == 1


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
    assert is_exhausted(history(*values), LOSS, patience) is expected


def test_a_history_without_the_objective_is_refused() -> None:
    with pytest.raises(ValueError, match="val_accuracy"):
        best_epoch(history(1.0), ACCURACY)
