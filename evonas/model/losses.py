"""What a training minimizes, as a loss of Keras: that of the task, a named one or the user's."""

from __future__ import annotations

from typing import Any

import keras

from evonas.learning.interface import Interface
from evonas.learning.losses import losses_of, own_loss

Tensor = Any


def build_loss(
    interface: Interface,
    name: str | None = None,
    label_smoothing: float = 0.0,
    takes_rows: bool = False,
) -> keras.losses.Loss:
    """The loss of a training.

    It takes targets as they are stored: class numbers (batch,), labels (batch, labels), or
    quantities, divided by their scale as the predictions are.

    Args:
        name: name of the loss, one of `losses_of`; None for that of the task.
        label_smoothing: share of each label that is spread over all classes.
        takes_rows: whether rows of probabilities (batch, classes) may come instead of class
            numbers, as they do from layers that mix targets.
    """
    head = interface.head
    named = own_loss(head) if name is None else losses_of(head)[name]
    has_classes = head.activation == "softmax"
    takes_rows = (takes_rows and has_classes) or named.of_rows
    if not label_smoothing and not takes_rows:
        return getattr(keras.losses, named.keras)()
    if not label_smoothing and named.of_rows:
        return _OfRows(getattr(keras.losses, named.keras)())
    smoothed = getattr(keras.losses, named.smoothed)(label_smoothing=label_smoothing)
    # Keras smooths no class numbers, only rows.
    return _OfRows(smoothed) if has_classes else smoothed


class _OfRows(keras.losses.Loss):  # type: ignore[misc]
    """A loss on rows of probabilities, given class numbers or rows."""

    def __init__(self, loss: keras.losses.Loss) -> None:
        super().__init__(name=loss.name)
        self._loss = loss

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self._loss.call(as_rows(y_true, y_pred.shape[-1]), y_pred)


def as_rows(y: Tensor, classes: int) -> Tensor:
    """Class numbers (batch,) as one-hot rows (batch, classes); rows as they are."""
    if len(y.shape) > 1:
        return y
    return keras.ops.one_hot(keras.ops.cast(y, "int32"), classes)
