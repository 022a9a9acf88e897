"""Writes a model, loads what was written, and compares what the two predict."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.files import delete, flush, temporary_beside
from evonas.model.formats.apart import Answered, answered_apart
from evonas.model.formats.calls import predict, write
from evonas.model.formats.export_format import TOLERANCE, AnySamples, Array, ExportFormat

__all__ = ["TOLERANCE", "UnfaithfulExport", "Verified", "save_verified"]

BATCHES = 1e-5
"""The same for batches of another size: other kernels of a library may add in another order."""


class UnfaithfulExport(RuntimeError):
    """A saved model, loaded again, does not predict what the model did; no file is left."""


@dataclass(frozen=True)
class Verified:
    """What was written, and holds.

    Attributes:
        difference: the greatest difference between two predictions.
        share: the same as a share of the largest prediction, if that is above 1.
        predictions: what the loaded files predict.
        milliseconds: how long they take for one sample; None if it was not measured.
    """

    difference: float
    share: float
    predictions: Array
    milliseconds: float | None = None


def save_verified(
    form: ExportFormat,
    model: Any,
    path: Path,
    x: AnySamples,
    predictions: Array,
    is_measured: bool = False,
) -> Verified:
    """Write a model to a path, whole, and only if it predicts there what the model does.

    Args:
        form: format; the path has its ending.
        model: a compiled model.
        path: path of the file or folder; an older one is replaced.
        x: raw samples.
        predictions: the model's answers for `x`.
        is_measured: whether a process of its own loads the files whatever the format says, also
            predicts for batches of other sizes, and tells how long a sample takes.

    Raises:
        UnfaithfulExport: the difference is above the format's tolerance, or not a number.
        CannotCarry: the format cannot hold this model.
        CannotLoad: a process of its own cannot load it.
        FormatFailed: a format of a plugin has raised, or has not written or loaded anything.
        whatever a format of evonas raises, for a model that it cannot hold.
    """
    if is_measured:
        form.check_carried(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The files get their own name last: a crash leaves the old ones, or none.
    # Keras insists on the ending.
    temporary = temporary_beside(path, form.ending or ".tmp")
    try:
        write(form, model, temporary)
        found = _loaded(form, temporary, x, is_measured)
        difference = _checked(form, found, predictions)
        # The content must be on the disk before the name: a rename may outlive a power cut alone.
        flush(temporary)
        if form.is_folder:
            # A rename replaces no folder that holds anything.
            delete(path)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            delete(temporary)
    share = difference / _largest(predictions)
    return Verified(difference, share, found.predictions, found.milliseconds)


def _loaded(form: ExportFormat, path: Path, x: AnySamples, is_measured: bool) -> Answered:
    """What the written files predict."""
    if form.is_loaded_apart or is_measured:
        return answered_apart(form, path, x, is_measured)
    return Answered(predict(form, path, x))


def _checked(form: ExportFormat, found: Answered, predictions: Array) -> float:
    """The greatest difference for all samples.

    Raises:
        UnfaithfulExport: it is too great, or that of other batches is.
    """
    difference = _difference(found.predictions, predictions, form.tolerance)
    for batch in (found.one, found.odd):
        if batch is not None:
            most = None if form.tolerance is None else max(form.tolerance, BATCHES)
            _difference(batch, predictions[: len(batch)], most)
    return difference


def _difference(found: Array, predictions: Array, tolerance: float | None) -> float:
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
    most = np.inf if tolerance is None else tolerance * _largest(predictions)
    # Not `difference > most`: a comparison with NaN is false, and NaN must be refused.
    if not difference <= most:
        raise UnfaithfulExport(
            f"The saved model predicts something else: the difference is {difference}."
        )
    return difference


def _largest(predictions: Array) -> float:
    """The largest prediction, or 1 if that is more."""
    return float(np.max(np.abs(predictions), initial=1.0))
