"""Arrays in a file of `numpy.savez`.

This module checks only whether the file can be read. `checks.py` judges the arrays.
"""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from evonas.data.arrays import GIVEN, KEYS, Arrays
from evonas.data.raw import Array, Ragged, RawSamples
from evonas.data.room import Header, check_room, read_header
from evonas.data.sources.path_source import PathSource
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.files import sha256_of
from evonas.genome.strict_yaml import short
from evonas.memory import Memory
from evonas.words import counted

LENGTHS = {"x": "lengths", "x_val": "lengths_val", "x_test": "lengths_test"}
"""Sequences, all steps of all samples in one array -> how many steps each sample has."""

HOW_TO_WRITE = "Write it with numpy.savez(path, x=..., y=...)."

OTHER_NAMES = {
    "x_train": "x",
    "y_train": "y",
    "x_valid": "x_val",
    "y_valid": "y_val",
    "x_validation": "x_val",
    "y_validation": "y_val",
    "data": "x",
    "features": "x",
    "images": "x",
    "samples": "x",
    "labels": "y",
    "target": "y",
    "targets": "y",
    "times": "time",
    "dates": "time",
    "train_x": "x",
    "train_y": "y",
    "test_x": "x_test",
    "test_y": "y_test",
    "train_lengths": "lengths",
    "test_lengths": "lengths_test",
    "lengths_train": "lengths",
    "weights": "sample_weight",
    "sample_weights": "sample_weight",
}
"""What other libraries call these arrays."""

NAMES, SERIES = "target_names", "series"
ALLOWED = (*KEYS, *LENGTHS.values(), SERIES, NAMES)
"""What a file may hold. A series stands for `x` and `y`: it is forecast from itself."""

MOST_UNKNOWN = 20
"""The most unknown arrays that are named."""

UNREADABLE: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
)
"""What a damaged, encrypted or strangely packed member of a zip file raises when it is read."""


@dataclass(frozen=True)
class Npz(PathSource):
    """The arrays `x`, `y` and those of `KEYS` that are there, of a file of `numpy.savez`.

    Sequences of different length are one array (steps of all samples, channels), and `lengths` says
    how many steps each sample has; likewise `lengths_val` and `lengths_test`.
    """

    words: ClassVar[str] = "an .npz file with x and y"

    @classmethod
    def reads(cls, path: Path) -> bool:
        if not path.is_file():
            return False
        return path.suffix == ".npz" or _holds_arrays(path)

    def read(self, memory: Memory) -> Arrays:
        return load_npz(Path(self.path), memory)

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        return samples_in(Path(self.path), memory), ()

    def mark(self) -> Mapping[str, str]:
        path = Path(self.path)
        return {"sha256": sha256_of(path)} if path.is_file() else {}


def _holds_arrays(path: Path) -> bool:
    """Whether a file without the usual ending is an archive of arrays all the same."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def load_npz(path: Path, memory: Memory, names: Mapping[str, str] | None = None) -> Arrays:
    """The arrays of a file of `numpy.savez`.

    Args:
        memory: tells how much memory is free.
        names: what the file calls an array -> its name here, if they differ.

    Raises:
        InvalidData: the file is missing, is no `.npz`, is damaged, lacks an array, has another one,
            or is larger than memory. All issues of its arrays are reported at once.
    """
    origin = str(path)
    found: dict[str, Any] = {}
    own = {key: name for name, key in (names or {}).items()}
    # Arrays are read when they are asked for, so the file must stay open until then.
    with _open(path, origin) as file:
        archive = _archive(file, origin)
        files = [(names or {}).get(name, name) for name in archive.files]
        issues = _missing_keys(files, origin) + _unknown_keys(files, origin)
        present = {key: own.get(key, key) for key in ALLOWED if key in files}
        headers = _headers(archive, present)
        # Nothing is unpacked before this, so that a small file cannot take all memory.
        if too_large := check_room(headers, memory, origin):
            raise InvalidData(issues + too_large)
        for key, name in present.items():
            array = _read(archive, name, headers.get(key), origin)
            if isinstance(array, Issue):
                issues.append(array)
            else:
                found[key] = array
    issues = issues or _lengths_issues(found, origin)
    if issues:
        raise InvalidData(issues)
    samples: dict[str, Any] = dict(found)
    for x, key in LENGTHS.items():
        lengths = samples.pop(key, None)
        if lengths is not None:
            ends = np.cumsum(lengths)
            samples[x] = Ragged(np.split(found[x], ends[:-1]))
    return _arrays(origin, samples)


def _arrays(origin: str, found: dict[str, Any]) -> Arrays:
    """The arrays of a file. What it has beside arrays of samples becomes what it is."""
    names = found.pop(NAMES, np.empty(0, "U1"))
    if names.ndim != 1 or names.dtype.kind != "U":
        message = f"must be a row of words. Received: dtype {names.dtype}, shape {names.shape}."
        raise InvalidData(Issue(message, NAMES, origin))
    # A series is forecast from itself.
    if SERIES in found:
        series = found.pop(SERIES)
        is_column = series.ndim == 2 and series.shape[1] == 1
        found["x"] = found["y"] = series[:, 0] if is_column else series
    return Arrays(origin, **found, target_names=tuple(names.tolist()))


def _lengths_issues(found: Mapping[str, Array], origin: str) -> list[Issue]:
    """Lengths that do not cut the samples into sequences."""
    issues = []
    some = [key for key in LENGTHS.values() if key in found]
    for x, key in LENGTHS.items():
        if x not in found and key in found:
            issues.append(Issue(f"goes with {x}, which is not there.", key, origin))
        elif x in found and key not in found and some:
            message = f"is missing, and {some[0]} is there: all sequences need their lengths."
            issues.append(Issue(message, key, origin))
        elif key in found and (problem := _length_problem(found[key], found[x], x)):
            issues.append(Issue(problem, key, origin))
    return issues


def _length_problem(lengths: Array, x: Array, key: str) -> str:
    """What is wrong with the lengths of sequences; empty if nothing is."""
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or not lengths.size:
        received = f"dtype {lengths.dtype}, shape {lengths.shape}"
        return f"must hold a whole number of steps for each sample. Received: {received}."
    if x.ndim not in (1, 2):
        wanted = f"With lengths, {key} holds the steps of all samples: (steps, channels)."
        return f"{wanted} Received: shape {x.shape}."
    if lengths.min() < 1:
        sample = int(np.argmin(lengths))
        return f"must be at least 1. Received: {lengths[sample]} for sample {sample}."
    if lengths.sum() != len(x):
        received = f"{lengths.sum():,}, and {key} has {len(x):,} steps"
        return f"must have the number of all steps as their sum. Received: {received}."
    return ""


def samples_in(path: Path, memory: Memory) -> RawSamples:
    """The array `x` of a file of `numpy.savez`, or the sequences in it if there are `lengths`.

    Raises:
        InvalidData: as `load_npz`; other arrays are left alone.
    """
    origin = str(path)
    with _open(path, origin) as file:
        archive = _archive(file, origin)
        if "x" not in archive.files:
            found = ", ".join(archive.files) or "none"
            message = f"the array x is missing, which holds the samples. Found: {found}."
            raise InvalidData(Issue(message, "x", origin))
        keys = [key for key in ("x", LENGTHS["x"]) if key in archive.files]
        headers = _headers(archive, {key: key for key in keys})
        if too_large := check_room(headers, memory, origin):
            raise InvalidData(too_large)
        arrays = {key: _read(archive, key, headers.get(key), origin) for key in keys}
    issues = [one for one in arrays.values() if isinstance(one, Issue)]
    whole = {key: one for key, one in arrays.items() if not isinstance(one, Issue)}
    if issues := issues or _lengths_issues(whole, origin):
        raise InvalidData(issues)
    if LENGTHS["x"] not in whole:
        return whole["x"]
    ends = np.cumsum(whole[LENGTHS["x"]])
    return Ragged(np.split(whole["x"], ends[:-1]))


def _headers(archive: np.lib.npyio.NpzFile, keys: Mapping[str, str]) -> dict[str, Header]:
    """The headers of these arrays: key -> its name in the file. One that cannot be read is left to
    `_read`, which tells why."""
    headers: dict[str, Header] = {}
    packed = archive.zip
    assert packed is not None, "the archive is open"
    for key, name in keys.items():
        with suppress(ValueError, MemoryError, *UNREADABLE):
            if header := read_header(packed, name):
                headers[key] = header
    return headers


def _open(path: Path, origin: str) -> BinaryIO:
    """The file, opened for reading."""
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        message = f"there is no such file. {HOW_TO_WRITE}"
        raise InvalidData(Issue(message, file=origin)) from error
    except IsADirectoryError as error:
        message = "is a folder, and an .npz file is wanted."
        raise InvalidData(Issue(message, file=origin)) from error
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}."
        raise InvalidData(Issue(message, file=origin)) from error


def _archive(file: BinaryIO, origin: str) -> np.lib.npyio.NpzFile:
    """The archive in this file. Its arrays are not read yet."""
    try:
        # A pickle can run any code when it is loaded.
        loaded = np.load(file, allow_pickle=False)
    except zipfile.BadZipFile as error:
        message = "is damaged or cut short: its zip directory cannot be read."
        raise InvalidData(Issue(message, file=origin)) from error
    # NumPy takes any file that it does not know for a pickle, which is a `ValueError` here.
    except (ValueError, EOFError) as error:
        message = f"is no .npz file. {HOW_TO_WRITE}"
        raise InvalidData(Issue(message, file=origin)) from error
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        message = f"is an .npy file with one array, an .npz is wanted. {HOW_TO_WRITE}"
        raise InvalidData(Issue(message, file=origin))
    return loaded


def _missing_keys(keys: list[str], origin: str) -> list[Issue]:
    """An issue for each array that the file should have."""
    wanted = [] if SERIES in keys else ["x", "y"]
    # Half a test set is of no use.
    for names in GIVEN.values():
        if any(name in keys for name in names):
            wanted += names
    found = ", ".join(keys) or "none"
    message = (
        "this array is missing. Allowed: x and y, x_val and y_val together, x_test and y_test"
        f" together. Found: {found}."
    )
    return [Issue(message, key, origin) for key in wanted if key not in keys]


def _unknown_keys(keys: list[str], origin: str) -> list[Issue]:
    """An issue for each array that evonas would not read, or could not tell from another."""
    issues = []
    unknown = []
    for key in dict.fromkeys(keys):
        if key not in ALLOWED or (key in ("x", "y") and SERIES in keys):
            unknown.append(key)
        elif keys.count(key) > 1:
            issues.append(Issue("this array is there twice.", key, origin))
    for key in unknown[:MOST_UNKNOWN]:
        issues.append(Issue(_why_unknown(key, keys), short(key), origin))
    more = len(unknown) - MOST_UNKNOWN
    if more > 0:
        message = f"and {counted(more, 'more unknown array')}."
        issues.append(Issue(message, file=origin))
    return issues


def _why_unknown(key: str, keys: list[str]) -> str:
    """What to do about an array that is not read."""
    message = f"unknown array. Allowed: {', '.join(ALLOWED)}."
    word = key.lower()
    known = OTHER_NAMES.get(word)
    hint = f" Did you mean {known!r}?" if known else did_you_mean(word, ALLOWED)
    # An array of that name is there already.
    if hint and any(f"{name!r}" in hint for name in keys):
        hint = ""
    return f"{message}{hint or ' It would not be read: save the file without it.'}"


def _read(
    archive: np.lib.npyio.NpzFile, key: str, header: Header | None, origin: str
) -> Array | Issue:
    """One array, or what is wrong with it."""
    # NumPy would ask for memory for all that the header says.
    if header is not None and not header.is_whole:
        message = "is damaged or cut short: its header says more values than it has."
        return Issue(message, key, origin)
    try:
        # Each member of the archive is decompressed only here.
        array: Array = archive[key]
    except ValueError as error:
        # NumPy has no class of its own for this error.
        if "allow_pickle" not in str(error):
            return Issue(f"is damaged: {error}.", key, origin)
        message = (
            "holds Python objects (words of pandas, rows of different lengths, or mixed types),"
            " one array of plain values is wanted. Pad rows to one length, and write words with"
            " y.astype(str)."
        )
        return Issue(message, key, origin)
    except MemoryError as error:
        return Issue(f"is larger than this machine can hold: {error}.", key, origin)
    except UNREADABLE as error:
        return Issue(f"is damaged or cut short: {error}.", key, origin)
    # NumPy returns the plain bytes of a member that is no array.
    if not isinstance(array, np.ndarray):
        return Issue(f"is no array. {HOW_TO_WRITE}", key, origin)
    return array
