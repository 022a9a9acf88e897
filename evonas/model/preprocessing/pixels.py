"""Pictures of any size -> what the encoding `pixels` stores."""

from __future__ import annotations

import keras
from keras import layers

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Tensor


def pixels(spec: InputSpec) -> tuple[Tensor, Tensor]:
    """Pictures (batch, any, any, channels) as (batch, height, width, channels)."""
    height, width = spec.fitted["size"]
    inputs = keras.Input((None, None, spec.fitted["channels"]), name=spec.name)
    x = layers.Resizing(height, width, name="resizing")(inputs)
    # An input of integers would be rounded when it is called, and not by `predict` (Keras 3.15).
    if spec.fitted["is_whole"]:
        x = keras.ops.round(x)
    return inputs, x
