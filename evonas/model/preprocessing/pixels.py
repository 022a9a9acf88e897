"""Pictures of any size -> what the encoding `pixels` stores."""

from __future__ import annotations

import keras

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Tensor, named


def pixels(spec: InputSpec) -> tuple[Tensor, Tensor]:
    """Pictures (batch, any, any, channels) as (batch, height, width, channels)."""
    inputs = keras.Input((None, None, spec.fitted["channels"]), name=spec.name)
    # Not the layer `Resizing`. Its `training` is true unless the caller says otherwise, and Keras
    # 3.15 hands that on: whoever calls the model would get batch normalization and dropout as in
    # training. `predict` and `evaluate` say that it is no training.
    x = keras.ops.image.resize(inputs, spec.fitted["size"])
    if spec.fitted["is_whole"]:
        x = keras.ops.round(x)
    return inputs, named([inputs], x, "resizing")
