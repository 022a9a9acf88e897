"""TensorFlow's SavedModel: the graph that predicts, for TensorFlow Serving and its relatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.model.formats.export_format import Array, ExportFormat, Predict

if TYPE_CHECKING:
    import keras

BATCH = 32
"""Samples at once, as Keras's `predict` has it."""


@dataclass(frozen=True)
class SavedModel(ExportFormat):
    """A folder that TensorFlow loads without Keras, and without the code of any layer.

    It predicts, and no more: neither the optimizer nor the loss is in it.
    """

    is_folder = True

    def write(self, model: keras.Model, path: Path) -> None:
        model.export(path, format="tf_saved_model", verbose=False)

    def load(self, path: Path) -> Predict:
        import tensorflow as tf

        loaded: Any = tf.saved_model.load(str(path))
        _, inputs = loaded.signatures["serving_default"].structured_input_signature
        (taken,) = inputs.values()

        def predict(x: Array) -> Array:
            # Unlike Keras, the graph takes samples of its own type only.
            starts = range(0, len(x), BATCH)
            batches = [tf.constant(x[start : start + BATCH], taken.dtype) for start in starts]
            return np.concatenate([loaded.serve(batch).numpy() for batch in batches])

        return predict

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "tensorflow.saved_model.load(PATH).serve(samples), samples as float32"}
