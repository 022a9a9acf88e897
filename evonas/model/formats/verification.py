"""Writes a model, loads what was written, and compares what the two predict."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from evonas.files import delete, flush, temporary_beside
from evonas.model.formats.apart import predicted_apart
from evonas.model.formats.calls import predict, write
from evonas.model.formats.export_format import AnySamples, Array, ExportFormat

TOLERANCE = 1e-6
"""The greatest difference allowed between the predictions of the model and of its loaded file."""


class UnfaithfulExport(RuntimeError):
    """A saved model, loaded again, does not predict what the model did; no file is left."""


def save_verified(
    form: ExportFormat, model: Any, path: Path, x: AnySamples, predictions: Array
) -> float:
    """Write a model to a path, whole, and only if it predicts there what the model does.

    Args:
        form: format; the path has its ending.
        model: a compiled model.
        path: path of the file or folder; an older one is replaced.
        x: raw samples.
        predictions: the model's answers for `x`.

    Returns:
        The greatest difference between two predictions.

    Raises:
        UnfaithfulExport: the difference is above 1e-6, or not a number.
        CannotLoad: a process of its own cannot load it.
        FormatFailed: a format of a plugin has raised, or has not written or loaded anything.
        whatever a format of evonas raises, for a model that it cannot hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The files get their own name last: a crash leaves the old ones, or none.
    # Keras insists on the ending.
    temporary = temporary_beside(path, form.ending or ".tmp")
    try:
        write(form, model, temporary)
        difference = _difference(_loaded(form, temporary, x), predictions)
        # The content must be on the disk before the name: a rename may outlive a power cut alone.
        flush(temporary)
        if form.is_folder:
            # A rename replaces no folder that holds anything.
            delete(path)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            delete(temporary)
    return difference


def _loaded(form: ExportFormat, path: Path, x: AnySamples) -> Array:
    """What the written files predict."""
    if form.is_loaded_apart:
        return predicted_apart(form, path, x)
    return predict(form, path, x)


def _difference(found: Array, predictions: Array) -> float:
    """The greatest difference.

    Raises:
        UnfaithfulExport: it is too great.
    """
    # NumPy would compare one prediction with all of the others.
    if found.shape != predictions.shape:
        raise UnfaithfulExport(
            f"The saved model predicts something else: its predictions have the shape"
            f" {found.shape}, and the model's {predictions.shape}."
        )
    difference = float(np.max(np.abs(found - predictions), initial=0.0))
    # Not `difference > TOLERANCE`: a comparison with NaN is false, and NaN must be refused.
    if not difference <= TOLERANCE:
        raise UnfaithfulExport(
            f"The saved model predicts something else: the difference is {difference}."
        )
    return difference
