"""The losses that a training can minimize, by the names that a config writes. No Keras.

The validation is scored by the metrics of the task, whatever the training minimizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evonas.learning.tasks import Head


@dataclass(frozen=True)
class NamedLoss:
    """A loss of Keras.

    Attributes:
        name: word in a config; Keras's name of the function.
        keras: name of the class in `keras.losses`.
        of_rows: whether its targets are rows of probabilities, one-hot for a label, and not class
            numbers.
        smoothed: name of the loss that takes `label_smoothing` and is otherwise the same; empty if
            labels cannot be smoothed.
        power: how it grows with the targets' unit: 2 for squared errors. None if it does not grow
            by a power, or if there is no unit.
    """

    name: str
    keras: str
    of_rows: bool = False
    smoothed: str = ""
    power: int | None = None


_OF_CLASSES = (
    NamedLoss(
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        smoothed="CategoricalCrossentropy",
    ),
    NamedLoss(
        "categorical_focal_crossentropy",
        "CategoricalFocalCrossentropy",
        of_rows=True,
        smoothed="CategoricalFocalCrossentropy",
    ),
)
_OF_LABELS = (
    NamedLoss("binary_crossentropy", "BinaryCrossentropy", smoothed="BinaryCrossentropy"),
    NamedLoss(
        "binary_focal_crossentropy",
        "BinaryFocalCrossentropy",
        smoothed="BinaryFocalCrossentropy",
    ),
)
_OF_QUANTITIES = (
    NamedLoss("mean_squared_error", "MeanSquaredError", power=2),
    NamedLoss("mean_absolute_error", "MeanAbsoluteError", power=1),
    # Errors above one standard deviation of the targets count by their size, not by its square.
    NamedLoss("huber", "Huber"),
)

_BY_HEAD: Mapping[str, tuple[NamedLoss, ...]] = {
    losses[0].keras: losses for losses in (_OF_CLASSES, _OF_LABELS, _OF_QUANTITIES)
}
"""The losses that fit a head, by the class of its own loss, which is the first of them."""


def losses_of(head: Head) -> Mapping[str, NamedLoss]:
    """The losses that a config may name for networks with this end, by name; its own first."""
    return {loss.name: loss for loss in _BY_HEAD[head.loss]}


def own_loss(head: Head) -> NamedLoss:
    """The loss of a task, which is trained if the config names no other."""
    return _BY_HEAD[head.loss][0]
