"""Arrays on the disk, exact and whole: an unfinished training's state, a finished one's weights.

Both are `.npz` files without pickle, readable by `numpy.load(path, allow_pickle=False)`. Equal
content gives equal bytes: the entries carry no date.
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
"""The version of a checkpoint's layout. A file of another version is refused."""

_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, SyntaxError)
_DAMAGE_OF_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, MemoryError, OverflowError)
"""What NumPy and `zipfile` raise for a damaged file; found by changing every byte of one."""

_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class TrainingState:
    """All that a training needs to continue as if it had never stopped.

    Attributes:
        fingerprint: plain JSON that must be equal for the state to fit.
        history: metrics of each finished epoch; patience and the best epoch follow from it.
        model: every variable of the model in its order, with the statistics of batch normalization
            and the states of random generators.
        optimizer: every variable of the optimizer in its order, with the step count.
        best: weights of the best epoch, in the order of `model.weights`.
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
    about = {
        "version": VERSION,
        "fingerprint": state.fingerprint,
        "history": list(state.history),
    }
    groups = {
        "model": state.model,
        "optimizer": state.optimizer,
        "best": state.best,
    }
    _save(path, about, groups)


def load_state(path: Path, fingerprint: Mapping[str, Any]) -> TrainingState:
    """Read a checkpoint of exactly this training.

    Raises:
        InvalidCheckpoint: the file is missing or damaged, or its version or fingerprint differs.
    """
    about, groups = _load(path)
    if about.get("version") != VERSION:
        raise InvalidCheckpoint(
            f"{path} has version {about.get('version')}, and this evonas reads {VERSION}."
        )
    found = about["fingerprint"]
    # What was read has been through JSON, which turns tuples into lists; so must what is compared.
    expected = json.loads(json.dumps(fingerprint))
    if found != expected:
        keys = sorted({*found, *expected})
        different = [key for key in keys if found.get(key) != expected.get(key)]
        raise InvalidCheckpoint(
            f"{path} belongs to another training: {', '.join(different)} differ."
        )
    return TrainingState(
        fingerprint=found,
        history=about["history"],
        # A group without arrays left no entry in the file.
        model=groups.get("model", []),
        optimizer=groups.get("optimizer", []),
        best=groups.get("best", []),
    )


def save_weights(path: Path, weights: Sequence[Array]) -> None:
    """Write the weights of a model, in the order of `model.weights`, whole.

    Raises:
        DiskFailure: the disk is full or not writable.
    """
    about = {"version": VERSION}
    groups = {"weights": weights}
    _save(path, about, groups)


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
    """Write the description first, as an entry of its own, then the arrays, group by group."""
    entries: dict[str, Array] = {}
    for group, arrays in groups.items():
        for position, array in enumerate(arrays):
            entries[f"{group}_{position:05}"] = array
    # The names of all entries are in the description: `_load` sees whether one is missing.
    described = {**about, "entries": list(entries)}
    text = json.dumps(described, allow_nan=False)
    # Without pickle a file can hold arrays only, so that the text is an array of bytes.
    description = np.frombuffer(text.encode(), np.uint8)
    content = {"about": description, **entries}

    def write(file: BinaryIO) -> None:
        _write_entries(file, content)

    write_whole(path, write)


def _write_entries(file: BinaryIO, entries: Mapping[str, Array]) -> None:
    """What `numpy.savez` does, without the time of day."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in entries.items():
            # A fixed date keeps files of equal content equal: their hashes are compared.
            info = zipfile.ZipInfo(f"{name}.npy", _DATE)
            # The size is not known before the array is written, and may be above 2 GiB.
            with archive.open(info, "w", force_zip64=True) as entry:
                whole = np.asanyarray(array)
                np.lib.format.write_array(entry, whole, allow_pickle=False)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, list[Array]]]:
    """The description of a file, and its arrays by group, in the order in which they were written.

    Raises:
        InvalidCheckpoint: the file is missing or damaged.
    """
    try:
        return _read(path)
    except (*_DAMAGE, *_DAMAGE_OF_ZIP) as error:
        raise InvalidCheckpoint(
            f"{path} cannot be read: {type(error).__name__}: {error}."
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, list[Array]]]:
    """As `_load`; raises whatever NumPy and `zipfile` raise for a damaged file."""
    # All checksums come first, so that no array of a damaged file is used.
    with zipfile.ZipFile(path) as archive:
        if wrong := archive.testzip():
            raise zipfile.BadZipFile(f"wrong checksum of {wrong}")
    groups: dict[str, list[Array]] = {}
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(file["about"].tobytes())
        # The checksums do not cover the archive's directory: a wrong byte there may hide an entry.
        if file.files != ["about", *about["entries"]]:
            raise ValueError("arrays are missing or added")
        for name in about["entries"]:
            group = name.rpartition("_")[0]
            groups.setdefault(group, []).append(file[name])
    return about, groups
