"""TensorFlow's SavedModel: the graph that predicts, for TensorFlow Serving and its relatives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.model.formats.export_format import Array, ExportFormat, Predict, Samples

if TYPE_CHECKING:
    import keras


def plain(name: str) -> str:
    """The name of an input among the arguments of a signature: letters, digits and `_` alone."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def _with_plain_names(model: keras.Model) -> keras.Model:
    """The same model, whose inputs have names that TensorFlow takes for arguments."""
    import keras

    inputs = {}
    for name, tensor in model.input.items():
        one = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=plain(name))
        inputs[name] = one
    outputs = model(inputs)
    return keras.Model({plain(name): one for name, one in inputs.items()}, outputs)


BATCH = 32
"""Samples at once, as Keras's `predict` has it."""


@dataclass(frozen=True)
class SavedModel(ExportFormat):
    """A folder that TensorFlow loads without Keras, and without the code of any layer.

    It predicts, and no more: neither the optimizer nor the loss is in it.
    """

    is_folder = True

    def write(self, model: keras.Model, path: Path) -> None:
        served = _with_plain_names(model) if isinstance(model.input, dict) else model
        served.export(path, format="tf_saved_model", verbose=False)

    def load(self, path: Path) -> Predict:
        import tensorflow as tf

        loaded: Any = tf.saved_model.load(str(path))
        (taken,), _ = loaded.serve.concrete_functions[0].structured_input_signature

        def constant(values: Array, spec: Any) -> Any:
            # Unlike Keras, the graph takes samples of its own type and rank only.
            values = values if len(values.shape) == len(spec.shape) else values[:, np.newaxis]
            return tf.constant(values, spec.dtype)

        def predict(x: Samples) -> Array:
            columns = x if isinstance(x, Mapping) else None
            count = len(x) if columns is None else len(next(iter(columns.values())))
            found = []
            for start in range(0, count, BATCH):
                rows = slice(start, start + BATCH)
                batch: Any
                if isinstance(x, Mapping):
                    batch = {}
                    for name, column in x.items():
                        batch[plain(name)] = constant(column[rows], taken[plain(name)])
                else:
                    batch = constant(x[rows], taken)
                found.append(loaded.serve(batch).numpy())
            return np.concatenate(found)

        return predict

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "tensorflow.saved_model.load(PATH).serve(samples), samples as float32"}
