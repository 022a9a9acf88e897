"""The losses that a training can minimize, by the names that a config writes. No Keras.

The validation is scored by the metrics of the task, whatever the training minimizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
        power: how it grows with the targets' unit: 2 for squared errors; 0 if by no power.
    """

    name: str
    keras: str
    of_rows: bool = False
    smoothed: str = ""
    power: int = 0


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


def power_of(name: str | None, head: Head) -> int:
    """How a loss grows with the targets' unit; 0 if by no power, or if nobody knows.

    Args:
        name: name of the loss, perhaps a function of the user's; None for that of the task.
    """
    named = own_loss(head) if name is None else losses_of(head).get(name)
    return 0 if named is None else named.power


@dataclass(frozen=True)
class CompiledLoss:
    """The loss that an exported model is compiled with.

    Attributes:
        loss: loss of Keras.
        arguments: arguments of its class.
        weight: factor by which it is the loss of targets divided by their scale.
        is_trained: whether it is the one that was trained. A loss of the user's is not, and neither
            is one that takes other targets than those in the data.
    """

    loss: NamedLoss
    arguments: Mapping[str, float] = field(default_factory=dict)
    weight: float = 1.0
    is_trained: bool = True


def compiled_loss(name: str | None, head: Head, weight: float = 1.0) -> CompiledLoss:
    """What an exported model is compiled with: if it can be, with the loss that was trained.

    Args:
        name: name of that loss, perhaps a function of the user's; None for that of the task.
        weight: factor by which a squared error is that of targets divided by their scale.
    """
    named = own_loss(head) if name is None else losses_of(head).get(name)
    if named is None or named.of_rows:
        return replace(compiled_loss(None, head, weight), is_trained=False)
    if not head.is_scaled:
        return CompiledLoss(named)
    if named.power == 1:
        return CompiledLoss(named, weight=math.sqrt(weight))
    # Its border between square and size lies at one standard deviation.
    arguments = {"delta": 1.0 / math.sqrt(weight)} if named.name == "huber" else {}
    return CompiledLoss(named, arguments, weight)
