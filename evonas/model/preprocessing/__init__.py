"""Preprocessing inside an exported model: from raw samples to stored ones, by Keras's own layers.

Each encoding of `evonas.data.encodings` has its layers here, under the same name and in a file of
its own. A contract test holds both to the same values. Trainings see stored samples, so these
layers cost nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Tensor
from evonas.model.preprocessing.one_hot import one_hot
from evonas.model.preprocessing.padded import padded
from evonas.model.preprocessing.pixels import pixels
from evonas.model.preprocessing.table import table
from evonas.model.preprocessing.text import text

Layers = Callable[[InputSpec], tuple[Any, Tensor]]
"""From an input to the model's raw inputs (one tensor, or a mapping of them by name), and to the
tensor of stored samples, (batch, *shape)."""

PREPROCESSING: Mapping[str, Layers] = {
    "table": table,
    "one_hot": one_hot,
    "text": text,
    "padded": padded,
    "pixels": pixels,
}


def raw_inputs(spec: InputSpec) -> tuple[Any, Tensor]:
    """The inputs of a model that takes raw samples, and the stored samples that they become."""
    if not spec.encoding:
        inputs = stored_input(spec)
        return inputs, inputs
    return PREPROCESSING[spec.encoding](spec)


def stored_input(spec: InputSpec) -> Tensor:
    """The input of a model that takes stored samples."""
    return keras.Input(spec.shape, name=spec.name)
