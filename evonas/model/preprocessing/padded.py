"""Sequences with NaN behind, of any length -> what the encoding `padded` stores."""

from __future__ import annotations

import math

import keras
from keras import layers

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Tensor


def padded(spec: InputSpec) -> tuple[Tensor, Tensor]:
    """The same with exactly the steps that networks take: (batch, length, channels)."""
    length, channels = spec.shape
    inputs = keras.Input((None, channels), name=spec.name)
    longer = keras.ops.pad(inputs, ((0, 0), (0, length), (0, 0)), constant_values=math.nan)
    # The layer tells Keras the number of steps.
    return inputs, layers.Reshape((length, channels), name="steps")(longer[:, :length])
