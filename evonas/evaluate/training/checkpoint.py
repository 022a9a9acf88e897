"""Arrays on the disk, exact and whole: the state of an unfinished training, and the weights of a finished one.

Both are `.npz` files without pickle, readable by `numpy.load(path, allow_pickle=False)`. Equal content gives equal
bytes: the entries carry no date.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from evonas.errors import InvalidCheckpoint
from evonas.files import write_whole

Array = NDArray[Any]

VERSION = 1
"""Of the layout of a checkpoint; a file of another version is refused, and the training starts afresh."""

_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, SyntaxError)
_DAMAGE_OF_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, MemoryError, OverflowError)
"""What NumPy and `zipfile` raise for a file with wrong bytes; found by changing every byte of one."""

_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class TrainingState:
    """All that a training needs to go on as if it had never stopped.

    Attributes:
        fingerprint: what must be equal for the state to fit: plain JSON.
        history: the metrics of each finished epoch; patience and the best epoch follow from it.
        model: every variable of the model in its order, with the statistics of batch normalization and the states of
            random generators.
        optimizer: every variable of the optimizer in its order, with the step count.
        best: the weights of the best epoch, in the order of `model.weights`.
    """

    fingerprint: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    model: Sequence[Array]
    optimizer: Sequence[Array]
    best: Sequence[Array]


def save_state(path: Path, state: TrainingState) -> None:
    """Write a checkpoint whole, in place of an older one.

    Raises:
        DiskFailure: the disk is full or not writable.
    """
    about = {"version": VERSION, "fingerprint": state.fingerprint, "history": list(state.history)}
    _save(path, about, {"model": state.model, "optimizer": state.optimizer, "best": state.best})


def load_state(path: Path, fingerprint: Mapping[str, Any]) -> TrainingState:
    """Read a checkpoint of exactly this training.

    Raises:
        InvalidCheckpoint: the file is missing or damaged, or its version or fingerprint is another one.
    """
    about, groups = _load(path)
    if about.get("version") != VERSION:
        raise InvalidCheckpoint(
            f"{path} has version {about.get('version')}, and this evonas reads {VERSION}."
        )
    found, expected = about["fingerprint"], json.loads(json.dumps(fingerprint))
    if found != expected:
        different = [
            key for key in sorted({*found, *expected}) if found.get(key) != expected.get(key)
        ]
        raise InvalidCheckpoint(
            f"{path} belongs to another training: {', '.join(different)} differ."
        )
    return TrainingState(
        found, about["history"], *(groups.get(name, []) for name in ("model", "optimizer", "best"))
    )


def save_weights(path: Path, weights: Sequence[Array]) -> None:
    """Write the weights of a model, in the order of `model.weights`, whole.

    Raises:
        DiskFailure: the disk is full or not writable.
    """
    _save(path, {"version": VERSION}, {"weights": weights})


def load_weights(path: Path) -> list[Array]:
    """Read what `save_weights` has written, for `model.set_weights`.

    Raises:
        InvalidCheckpoint: the file is missing or damaged.
    """
    _, groups = _load(path)
    if "weights" not in groups:
        raise InvalidCheckpoint(
            f"{path} holds no weights; it has {', '.join(groups) or 'no arrays'}."
        )
    return groups["weights"]


def _save(path: Path, about: Mapping[str, Any], groups: Mapping[str, Sequence[Array]]) -> None:
    entries: dict[str, Array] = {}
    for name, arrays in groups.items():
        entries |= {f"{name}_{position:05}": array for position, array in enumerate(arrays)}
    description = json.dumps({**about, "entries": list(entries)}, allow_nan=False)
    first = {"about": np.frombuffer(description.encode(), np.uint8)}
    write_whole(path, lambda file: _write_entries(file, first | entries))


def _write_entries(file: BinaryIO, entries: Mapping[str, Array]) -> None:
    """What `numpy.savez` does, without the time of day."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in entries.items():
            with archive.open(
                zipfile.ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True
            ) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, list[Array]]]:
    """What is said about the arrays, and the arrays by group, in the order in which they were written."""
    try:
        with zipfile.ZipFile(path) as archive:
            if wrong := archive.testzip():
                raise zipfile.BadZipFile(f"wrong checksum of {wrong}")
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            if file.files != ["about", *about["entries"]]:  # a changed directory may hide some
                raise ValueError("arrays are missing or added")
            groups: dict[str, list[Array]] = {}
            for name in about["entries"]:
                groups.setdefault(name.rpartition("_")[0], []).append(file[name])
    except (*_DAMAGE, *_DAMAGE_OF_ZIP) as error:
        raise InvalidCheckpoint(
            f"{path} cannot be read: {type(error).__name__}: {error}."
        ) from error
    return about, groups
