"""Keras's own file, `.keras`: the architecture, the weights and the optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.model.formats.export_format import CannotCarry, ExportFormat, Predict
from evonas.model.formats.readers import keras_model

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class KerasFile(ExportFormat):
    """A `.keras` file, which plain Keras loads in safe mode, evaluates, and trains further.

    The worker itself loads it, for two reasons. Every search ends with one, and another process
    would import TensorFlow for seconds. And the process that loads the file must have
    imported the plugins whose layers are in it. The worker has.
    """

    ending = ".keras"
    is_compiled = True
    is_loaded_apart = False
    reader = "keras_model"
    bundled_as = "model.keras"
    packages = ("tensorflow", "keras")

    def write(self, model: keras.Model, path: Path) -> None:
        model.save(path)

    def check_carried(self, model: keras.Model) -> None:
        from keras import layers

        for layer in model.layers:
            kind = type(layer)
            if getattr(layers, kind.__name__, None) is not kind:
                raise CannotCarry(
                    f"the layer {layer.name} is a {kind.__name__}, none of Keras's own: whoever"
                    " loads the file must import it first"
                )

    def load(self, path: Path) -> Predict:
        return keras_model.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"keras": keras_needed(versions)}


def keras_needed(versions: Mapping[str, str]) -> dict[str, str] | None:
    """The Keras that wrote a file, and those that read it; None if the former is not known.

    Args:
        versions: versions of the worker that wrote the file.
    """
    if "keras" not in versions:
        return None
    made_with = versions["keras"]
    # Measured on exports of evonas. Each minor release writes a key that the one before refuses:
    # 3.13 `quantization_config` (Dense), 3.14 `renorm` (BatchNormalization), 3.15 `input_axes`
    # (all initializers). Within a minor release, and from an older one to a newer one, every file
    # was read: of 3.15.1 by 3.15.0, of 3.14.1 by 3.14.0, of 3.13.2 by 3.13.0 and by all newer ones.
    major, minor = made_with.split(".")[:2]
    return {"made_with": made_with, "needs": f">={major}.{minor}"}
