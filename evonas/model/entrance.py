"""The layers between raw samples and a network, by the names that kinds of input have for them.

They are inside the model, so that its file takes raw samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
from keras import layers

from evonas.errors import UserError
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.model.masking import Steps, first_is_real
from evonas.model.parts import Tensor, named

Layer = Callable[[Tensor, InputSpec], Tensor]


def entrance(x: Tensor, spec: InputSpec) -> Tensor:
    """Raw values -> what a network takes: channels last, about 0 in the mean, 1 in the variance.

    Raises:
        UserError: the shape is none of this kind of input.
    """
    kind = INPUT_KINDS[spec.kind]
    if len(spec.shape) not in kind.axes:
        raise UserError(
            f"a sample of kind {spec.kind} has {kind.axes_in_words}. "
            f"Received the shape {spec.shape}."
        )
    for name in kind.entrance:
        x = LAYERS[name](x, spec)
    return x


def real_steps(x: Tensor, spec: InputSpec) -> tuple[Tensor, Steps | None]:
    """Which steps are real, if samples have different lengths, and zeros in place of NaN.

    Args:
        x: what `entrance` gives: normalized steps with NaN behind, or numbers of words with 0
            behind.

    Returns:
        The same steps, all of them finite, and None if all are real.
    """
    if spec.kind == "text":
        mask = keras.ops.not_equal(x, 0)
        return x, Steps(named([x], first_is_real(mask), "mask"))
    if spec.encoding != "padded":
        return x, None
    is_padding = keras.ops.isnan(x)
    mask = first_is_real(keras.ops.logical_not(keras.ops.any(is_padding, axis=-1)))
    mask = named([x], mask, "mask")
    return named([x], keras.ops.where(keras.ops.isnan(x), 0.0, x), "unpadded"), Steps(mask)


def _channel_axis(x: Tensor, spec: InputSpec) -> Tensor:
    """The same with an axis of channels, if there is none."""
    if len(spec.shape) != INPUT_KINDS[spec.kind].rank - 1:
        return x
    return layers.Reshape((*spec.shape, 1), name="channel_axis")(x)


def _normalization(x: Tensor, spec: InputSpec) -> Tensor:
    """About 0 in the mean and 1 in the variance, by constants."""
    normalization = layers.Normalization(
        axis=-1,
        mean=list(spec.fitted["mean"]),
        variance=list(spec.fitted["variance"]),
        name="normalization",
    )
    return normalization(x)


LAYERS: Mapping[str, Layer] = {"channel_axis": _channel_axis, "normalization": _normalization}
