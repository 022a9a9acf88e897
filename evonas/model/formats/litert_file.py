"""LiteRT, once TensorFlow Lite: the graph that predicts on phones and other small devices."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.model.formats import to_litert
from evonas.model.formats.export_format import CannotCarry, ExportFormat, Predict
from evonas.model.formats.readers import litert_file
from evonas.model.formats.served import check_numbers, convert, write_served

if TYPE_CHECKING:
    import keras

MOST_SAMPLES = 200
"""Samples of the training by which integers are scaled, as LiteRT's guide has it."""


@dataclass(frozen=True)
class LiteRT(ExportFormat):
    """A `.tflite` file of 32-bit floats.

    A network with recurrent layers takes one sample at a time: LiteRT's loops need a batch of known
    size.
    """

    ending = ".tflite"
    tolerance = 1e-5
    reader = "litert_file"
    bundled_as = "model.tflite"
    extra = "litert"
    modules = ("ai_edge_litert",)
    packages = ("ai-edge-litert",)

    def write(self, model: keras.Model, path: Path) -> None:
        _write(model, path, "")

    def load(self, path: Path) -> Predict:
        return litert_file.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "ai_edge_litert.interpreter.Interpreter(PATH), samples as float32"}


@dataclass(frozen=True)
class LiteRT8(ExportFormat):
    """A `.tflite` file of 8-bit integers within: smaller, faster, and not the same.

    It takes and gives floats. The integers are scaled by samples of the training. Its predictions
    differ from the network's, so it promises none, and its own score is told.

    Attributes:
        samples: path of the samples of the training, `.npy`; empty if there are none.
    """

    ending = ".int8.tflite"
    tolerance = None
    reader = "litert_file"
    bundled_as = "model.int8.tflite"
    extra = "litert"
    modules = ("ai_edge_litert",)
    packages = ("ai-edge-litert",)

    samples: str = ""

    def calibrated_on(self, samples: Path) -> ExportFormat:
        return replace(self, samples=str(samples))

    def write(self, model: keras.Model, path: Path) -> None:
        if not self.samples:
            raise CannotCarry(
                "integers are scaled by raw samples of the training, and the run has none: its"
                " samples are encoded"
            )
        _write(model, path, self.samples)

    def load(self, path: Path) -> Predict:
        return litert_file.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "ai_edge_litert.interpreter.Interpreter(PATH), samples as float32"}


def _write(model: keras.Model, path: Path, samples: str) -> None:
    """Write a model by TensorFlow's converter.

    Args:
        samples: path of samples of the training; empty for floats.

    Raises:
        CannotCarry: the converter does not take it.
    """
    import keras

    check_numbers(model, "LiteRT")
    loops = (keras.layers.RNN, keras.layers.Bidirectional)
    batch = 1 if any(isinstance(layer, loops) for layer in model.layers) else None
    with tempfile.TemporaryDirectory(prefix="evonas-litert-") as scratch:
        folder = Path(scratch)
        request = {
            "folder": str(folder / "served"),
            "samples": _few(samples, folder) if samples else "",
            "path": str(path.absolute()),
            "failure": str(folder / "failure.txt"),
        }
        write_served(model, folder / "served", batch)
        asked = folder / "request.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        convert([to_litert.__file__, str(asked)], folder / "failure.txt")


def _few(samples: str, folder: Path) -> str:
    """Some samples from all of the training, as a file of their own."""
    x = np.load(samples, mmap_mode="r", allow_pickle=False)
    rows = np.linspace(0, len(x) - 1, min(len(x), MOST_SAMPLES)).astype(int)
    path = folder / "samples.npy"
    np.save(path, np.asarray(x[rows]), allow_pickle=False)
    return str(path)
