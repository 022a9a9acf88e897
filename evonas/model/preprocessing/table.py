"""A mapping of columns -> what the encoding `table` stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from evonas.learning.input_spec import InputSpec, input_name
from evonas.model.parts import Tensor


def table(spec: InputSpec) -> tuple[dict[str, Tensor], Tensor]:
    """Numbers as they are, words as codes: (batch, columns)."""
    inputs = column_inputs(spec)
    columns = []
    for number, one in enumerate(spec.fitted["columns"]):
        x = inputs[input_name(one["name"])]
        columns.append(codes(x, one, number) if "words" in one else x)
    if len(columns) == 1:
        return inputs, columns[0]
    return inputs, layers.Concatenate(name="columns")(columns)


def column_inputs(spec: InputSpec) -> dict[str, Tensor]:
    """An input for each column, by the column's name: words or 32-bit floats."""
    inputs = {}
    for one in spec.fitted["columns"]:
        dtype = "string" if "words" in one else "float32"
        name = input_name(one["name"])
        inputs[name] = keras.Input((1,), dtype=dtype, name=name)
    return inputs


def codes(x: Tensor, fitted: Mapping[str, Any], number: int) -> Tensor:
    """Words as codes: 0 for a gap, 1 for an unknown word, from 2 on the known ones."""
    lookup = layers.StringLookup(
        vocabulary=list(fitted["words"]),
        mask_token="",
        name=f"codes_{number}",
    )
    return keras.ops.cast(lookup(x), "float32")
