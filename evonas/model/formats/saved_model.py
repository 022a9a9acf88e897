"""TensorFlow's SavedModel: the graph that predicts, for TensorFlow Serving and its relatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.model.formats.export_format import ExportFormat, Predict
from evonas.model.formats.readers import saved_model
from evonas.model.formats.served import with_plain_names

if TYPE_CHECKING:
    import keras


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
        served = with_plain_names(model)
        served.export(path, format="tf_saved_model", verbose=False)

    def load(self, path: Path) -> Predict:
        return saved_model.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        # In two steps: its variables live as long as what was loaded.
        how = "loaded = tensorflow.saved_model.load(PATH); loaded.serve(samples)"
        return {"loaded_by": f"{how}, samples as float32"}
