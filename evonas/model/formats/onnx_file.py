"""ONNX: the graph that predicts, for ONNX Runtime and all others that read ONNX."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.model.formats.export_format import CannotCarry, ExportFormat, Predict
from evonas.model.formats.readers import onnx_file
from evonas.model.formats.readers.saved_model import plain
from evonas.model.formats.served import check_numbers, convert, write_served

if TYPE_CHECKING:
    import keras

OPSET = 18
"""The newest set of operators that tf2onnx 1.17 writes."""


@dataclass(frozen=True)
class Onnx(ExportFormat):
    """An `.onnx` file, written by tf2onnx; it predicts, and no more.

    Not by `Model.export`: of Keras 3.15, it loses the constants of a normalization.
    """

    ending = ".onnx"
    tolerance = 1e-5
    reader = "onnx_file"
    bundled_as = "model.onnx"
    extra = "onnx"
    modules = ("onnx", "tf2onnx", "onnxruntime")
    packages = ("onnxruntime",)

    def write(self, model: keras.Model, path: Path) -> None:
        check_numbers(model, "ONNX")
        with tempfile.TemporaryDirectory(prefix="evonas-onnx-") as scratch:
            folder = Path(scratch)
            write_served(model, folder / "served")
            written = folder / "model.onnx"
            arguments = ["-m", "tf2onnx.convert", "--saved-model", str(folder / "served")]
            arguments += ["--signature_def", "serve", "--opset", str(OPSET)]
            convert([*arguments, "--output", str(written)], folder / "failure.txt")
            names = [plain(one._keras_history.operation.name) for one in model.inputs]
            _write_standard(written, path, names)

    def load(self, path: Path) -> Predict:
        return onnx_file.load(path)

    def about(self, versions: Mapping[str, str]) -> Mapping[str, Any]:
        return {"loaded_by": "onnxruntime.InferenceSession(PATH), samples as float32"}


def _write_standard(source: Path, path: Path, names: Sequence[str]) -> None:
    """Write a graph again, with inputs of these names, and with operators of ONNX alone.

    tf2onnx leaves what it does not know under its name in TensorFlow, and says no more than a line
    in its log.

    Raises:
        CannotCarry: it has others.
    """
    import onnx

    found: Any = onnx.load(source)
    nodes = _named(found.graph, names)
    for node in found.graph.node:
        nodes += _complement(node) if node.op_type == "Erfc" else [node]
    del found.graph.node[:]
    found.graph.node.extend(nodes)
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    others = sorted({node.op_type for node in nodes if node.op_type not in known})
    if others:
        raise CannotCarry(f"tf2onnx has no counterpart of {', '.join(others)}")
    onnx.save(found, path)


def _named(graph: Any, names: Sequence[str]) -> list[Any]:
    """Give the inputs their names again, which TensorFlow has made lower-case.

    Returns:
        nodes that lead from these names to those within the graph.

    Raises:
        CannotCarry: two names are the same but for that.
    """
    import onnx

    right = {name.lower(): name for name in names}
    if len(right) < len(names):
        raise CannotCarry("two columns have names that differ in capital letters alone")
    nodes = []
    for one in graph.input:
        within, wanted = one.name, right.get(one.name.lower(), one.name)
        if wanted != within:
            one.name = wanted
            nodes.append(onnx.helper.make_node("Identity", [wanted], [within]))
    return nodes


def _complement(node: Any) -> list[Any]:
    """1 - erf(x), which ONNX has, for erfc(x), which is in Keras's exact gelu."""
    import onnx

    name = node.output[0]
    one = onnx.helper.make_node(
        "Constant", [], [f"{name}/one"], value=onnx.numpy_helper.from_array(np.array(1, np.float32))
    )
    erf = onnx.helper.make_node("Erf", list(node.input), [f"{name}/erf"])
    rest = onnx.helper.make_node("Sub", [f"{name}/one", f"{name}/erf"], [name])
    return [one, erf, rest]
