"""Readable code, `model.py`, and the weights beside it."""

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
class SourceCode(ExportFormat):
    """A folder with a program of plain Keras that builds the network, loads it and compiles it.

    The code is written from the network's own graph. Layers of plugins cannot be in it.
    """

    is_folder = True
    reader = "keras_model"
    bundled_as = "source"
    packages = ("tensorflow", "keras")

    def write(self, model: keras.Model, path: Path) -> None:
        from evonas.model.source import CannotWrite, program_of
        from evonas.model.source.program import CONSTANTS, WEIGHTS

        try:
            program = program_of(model, f"The network {model.name}, as evonas has found it.")
        except CannotWrite as error:
            raise CannotCarry(f"the network cannot be written as code: {error}") from error
        path.mkdir()
        (path / "model.py").write_text(program.text, encoding="utf-8")
        if program.constants:
            (path / CONSTANTS).write_text(program.constants, encoding="utf-8")
        model.save_weights(path / WEIGHTS)

    def load(self, path: Path) -> Predict:
        return keras_model.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "from model import load_model; load_model().predict(samples)"}
