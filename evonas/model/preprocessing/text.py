"""Texts -> what the encoding `text` stores."""

from __future__ import annotations

import keras
from keras import layers

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Tensor


def text(spec: InputSpec) -> tuple[Tensor, Tensor]:
    """The numbers of the words: (batch, length)."""
    inputs = keras.Input((), dtype="string", name=spec.name)
    vectorization = layers.TextVectorization(
        vocabulary=list(spec.fitted["vocabulary"]),
        output_sequence_length=spec.fitted["length"],
        name="words",
    )
    # Keras casts the stored numbers to floats, too. These are exact up to 16 million.
    return inputs, keras.ops.cast(vectorization(inputs), "float32")
