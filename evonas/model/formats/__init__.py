"""Export formats: the ways in which a trained model is written to the disk.

A format is one class in one file. It derives from `ExportFormat`, which says what it promises.
`verification` writes a model and holds what was written to the model's own predictions. The driver
imports the formats, so none of these modules imports Keras before it writes or loads.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from evonas.errors import UserError
from evonas.model.formats.export_format import ExportFormat, Predict
from evonas.model.formats.keras_file import KerasFile
from evonas.model.formats.litert_file import LiteRT, LiteRT8
from evonas.model.formats.onnx_file import Onnx
from evonas.model.formats.saved_model import SavedModel
from evonas.model.formats.source_code import SourceCode

__all__ = [
    "DEFAULT",
    "FORMATS",
    "ExportFormat",
    "KerasFile",
    "LiteRT",
    "LiteRT8",
    "Onnx",
    "Predict",
    "SavedModel",
    "SourceCode",
    "find_format",
]

FORMATS: Mapping[str, type[ExportFormat]] = {
    "keras": KerasFile,
    "saved_model": SavedModel,
    "source": SourceCode,
    "onnx": Onnx,
    "litert": LiteRT,
    "litert_int8": LiteRT8,
}
"""The formats of evonas by their names, the default first."""

DEFAULT = "keras"
"""The format of a winner, and of an export that names none."""


def find_format(name: str, plugins: Sequence[str] = ()) -> ExportFormat:
    """The format of a name, as a worker finds it; the driver has checked the name before.

    Args:
        name: a name in `FORMATS`, or `package.module:Name`.
        plugins: modules that may be imported; no other module is.

    Raises:
        UserError: there is no such format, or its module may not be imported.
    """
    if name in FORMATS:
        return FORMATS[name]()
    module, _, attribute = name.partition(":")
    # Before the import, which runs the module's code.
    if module not in plugins:
        raise UserError(f"the format {name!r} is not of evonas, and of none of the plugins")
    found: Any = getattr(importlib.import_module(module), attribute, None)
    if not (isinstance(found, type) and issubclass(found, ExportFormat)):
        raise UserError(f"the plugin {module} has no format {attribute!r}")
    return found()
