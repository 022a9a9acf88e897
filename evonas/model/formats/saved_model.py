"""TensorFlow's SavedModel: the graph that predicts, for TensorFlow Serving and its relatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.model.formats.export_format import ExportFormat, Predict
from evonas.model.formats.readers import saved_model
from evonas.model.formats.readers.saved_model import plain

if TYPE_CHECKING:
    import keras


def _with_plain_names(model: keras.Model) -> keras.Model:
    """The same model, whose inputs have names that TensorFlow takes for arguments."""
    import keras

    inputs = {}
    for name, tensor in model.input.items():
        one = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=plain(name))
        inputs[name] = one
    outputs = model(inputs)
    return keras.Model({plain(name): one for name, one in inputs.items()}, outputs)


@dataclass(frozen=True)
class SavedModel(ExportFormat):
    """A folder that TensorFlow loads without Keras, and without the code of any layer.

    It predicts, and no more: neither the optimizer nor the loss is in it.
    """

    is_folder = True
    reader = "saved_model"
    bundled_as = "saved_model"
    packages = ("tensorflow",)

    def write(self, model: keras.Model, path: Path) -> None:
        served = _with_plain_names(model) if isinstance(model.input, dict) else model
        served.export(path, format="tf_saved_model", verbose=False)

    def load(self, path: Path) -> Predict:
        return saved_model.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "tensorflow.saved_model.load(PATH).serve(samples), samples as float32"}
