"""What a training minimizes, as a loss of Keras: that of the task, a named one or the user's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from evonas.errors import UserError
from evonas.learning.formulas import Array
from evonas.learning.interface import Interface
from evonas.learning.losses import losses_of, own_loss
from evonas.model.functions import function_of

Tensor = Any

SCALE = "scale"
"""The parameter by which a loss of the user's gets the scale of the targets."""


@dataclass(frozen=True, eq=False)
class Goal:
    """What a training minimizes.

    Attributes:
        loss: loss of a batch.
        power: how the loss grows with the targets' unit.
        by_class: (classes,), what a sample counts by its class; None if all count the same.
    """

    loss: keras.losses.Loss
    power: int = 2
    by_class: Array | None = None


def build_loss(
    interface: Interface,
    name: str | None = None,
    label_smoothing: float = 0.0,
    takes_rows: bool = False,
    plugins: Sequence[str] = (),
) -> keras.losses.Loss:
    """The loss of a training.

    It takes targets as they are stored: class numbers (batch,), labels (batch, labels), or
    quantities, divided by their scale as the predictions are.

    Args:
        name: name of the loss, one of `losses_of`, or a function of the user's; None for the loss
            of the task.
        label_smoothing: share of each label that is spread over all classes.
        takes_rows: whether rows of probabilities (batch, classes) may come instead of class
            numbers, as they do from layers that mix targets.
        plugins: modules that may be imported.

    Raises:
        UserError: the function is missing, or its module may not be imported.
    """
    if name is not None and ":" in name:
        return _of_users(interface, name, plugins)
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


def _of_users(interface: Interface, name: str, plugins: Sequence[str]) -> keras.losses.Loss:
    function = function_of("loss", name, plugins)
    given = {}
    if SCALE in inspect.signature(function).parameters:
        given[SCALE] = interface.target_scale
    return _Own(name, function, given)


class _OfRows(keras.losses.Loss):  # type: ignore[misc]
    """A loss on rows of probabilities, given class numbers or rows."""

    def __init__(self, loss: keras.losses.Loss) -> None:
        super().__init__(name=loss.name)
        self._loss = loss

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self._loss.call(as_rows(y_true, y_pred.shape[-1]), y_pred)


class _Own(keras.losses.Loss):  # type: ignore[misc]
    """A function of the user's: targets and predictions, (batch, outputs), to (batch,) losses.

    Class numbers come as whole numbers, (batch,). The function may return one number for all, but
    then no sample can count more than another.
    """

    def __init__(self, name: str, function: Callable[..., Any], given: dict[str, Any]) -> None:
        super().__init__(name="own_loss")
        self._called = name
        self._function = function
        self._given = given
        self._has_weights = False

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Any:
        self._has_weights = sample_weight is not None
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if len(y_true.shape) == len(y_pred.shape):
            y = y_true
        elif y_pred.shape[-1] == 1:
            y = keras.ops.expand_dims(y_true, -1)
        else:
            y = keras.ops.cast(y_true, "int32")
        found = self._function(y, y_pred, **self._given)
        shape = getattr(found, "shape", None)
        if shape is None or len(shape) > 1:
            raise UserError(
                f"the loss {self._called} must return one number for each sample, (batch,)."
                f" Received: {'no tensor' if shape is None else f'shape {tuple(shape)}'}."
            )
        if len(shape) == 0 and self._has_weights:
            raise UserError(
                f"the loss {self._called} must return one number for each sample, (batch,), because"
                " samples have weights here. Received: one number for all."
            )
        return found


class Scaled(keras.losses.Loss):  # type: ignore[misc]
    """A loss of targets and predictions in their units, which are divided by their scale first."""

    def __init__(self, loss: keras.losses.Loss, scale: Any) -> None:
        super().__init__(name=loss.name)
        self._loss = loss
        self._scale = scale

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Any:
        y = keras.ops.cast(y_true, "float32") / self._scale
        return self._loss(y, y_pred / self._scale, sample_weight)


def as_rows(y: Tensor, classes: int) -> Tensor:
    """Class numbers (batch,) as one-hot rows (batch, classes); rows as they are."""
    if len(y.shape) > 1:
        return y
    return keras.ops.one_hot(keras.ops.cast(y, "int32"), classes)
