"""A mapping of columns -> what the encoding `one_hot` stores."""

from __future__ import annotations

import keras
from keras import layers

from evonas.learning.input_spec import InputSpec, input_name
from evonas.model.parts import Tensor
from evonas.model.preprocessing.table import column_inputs


def one_hot(spec: InputSpec) -> tuple[dict[str, Tensor], Tensor]:
    """Numbers without gaps, and a feature for each word: (batch, features)."""
    inputs = column_inputs(spec)
    features = []
    for number, one in enumerate(spec.fitted["columns"]):
        x = inputs[input_name(one["name"])]
        if "words" in one:
            lookup = layers.StringLookup(
                vocabulary=list(one["words"]),
                mask_token="",
                name=f"codes_{number}",
            )
            known = 2 + len(one["words"])
            hot = layers.CategoryEncoding(known, output_mode="one_hot", name=f"words_{number}")
            features.append(hot(lookup(x)))
            continue
        gaps = keras.ops.isnan(x)
        features.append(keras.ops.where(gaps, one["mean"], x))
        if one["has_gaps"]:
            features.append(keras.ops.cast(gaps, "float32"))
    if len(features) == 1:
        return inputs, features[0]
    return inputs, layers.Concatenate(name="features")(features)
