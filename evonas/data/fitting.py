"""What is fitted to the training data for the entrance of a network: data on disk with a digest.

The names of what is fitted are those that a kind of input has for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.columns import moments
from evonas.data.raw import Array
from evonas.errors import InvalidData, Issue
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import Fitted
from evonas.learning.interface import Interface

FITTED = "data/fitted.json"
"""The file of the fitted values, relative to the run's directory."""


def fit(x: Array, kind: str) -> Fitted:
    """Everything that a kind of input wants fitted.

    Args:
        x: training samples (n, ...). No other part may be measured: they stand for unseen samples.
    """
    found: dict[str, tuple[float, ...]] = {}
    for name in INPUT_KINDS[kind].fitted:
        found |= FITS[name](x, kind)
    return found


def open_interface(ends: Mapping[str, Any], directory: Path) -> Interface:
    """The interface that a job names, with the fitted values of their file.

    Args:
        ends: `Interface.by_digest()`.
        directory: directory of the run.

    Raises:
        InvalidData: the file is missing, or has another content.
    """
    spec = ends.get("input", {})
    digest = spec.get("fitted")
    # Runs of older versions carry the values themselves.
    if not isinstance(digest, str):
        return Interface.from_json(ends)
    fitted = _read(directory / spec["file"], digest)
    return Interface.from_json({**ends, "input": {**spec, "fitted": fitted}})


@lru_cache(maxsize=4)
def _read(path: Path, digest: str) -> Any:
    """The values in a file with this digest; read once a process."""
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}."
        raise InvalidData(Issue(message, file=str(path))) from error
    if hashlib.sha256(content).hexdigest() != digest:
        message = "is not what was fitted to the training data of this run."
        raise InvalidData(Issue(message, file=str(path)))
    return json.loads(content)


def _moments(x: Array, kind: str) -> Fitted:
    """Mean and variance of each column."""
    if kind == "sequence" and x.dtype.kind == "f" and x.ndim == 3:
        padding = np.isnan(x[:, :, 0])
        if padding.any():
            # The real steps of all sequences, (steps, channels). Padding is no measurement.
            x, kind = x[~padding], "vector"
    mean, variance = moments(x, kind)
    return {"mean": mean, "variance": variance}


FITS: Mapping[str, Callable[[Array, str], Fitted]] = {"moments": _moments}
