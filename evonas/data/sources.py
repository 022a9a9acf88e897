"""Where samples come from: data sets by name, and `.npz` files.

This module checks only whether the data can be read. `checks.py` judges them.
"""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from evonas.data.room import Header, check_room, read_header
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome.strict_yaml import short
from evonas.memory import Memory
from evonas.words import counted

Array = NDArray[Any]

HOW_TO_WRITE = "Write it with numpy.savez(path, x=..., y=...)."


@dataclass(frozen=True, eq=False)
class Arrays:
    """Samples as they were found.

    Attributes:
        origin: path of the file or name of the data set, for messages.
        x: samples, (n, ...).
        y: targets, (n,) if they are valid.
        x_test: samples of the source's own test set; None if the test data are to be split off.
        y_test: targets of that test set, or None.
    """

    origin: str
    x: Array
    y: Array
    x_test: Array | None = None
    y_test: Array | None = None

    def named(self) -> dict[str, Array]:
        """The arrays that are not None, by the names that messages use."""
        named = {"x": self.x, "y": self.y}
        if self.x_test is not None:
            named["x_test"] = self.x_test
        if self.y_test is not None:
            named["y_test"] = self.y_test
        return named


# scikit-learn takes 1.1 s to import. So each of these functions imports it, and this module does
# not.


def _digits() -> Arrays:
    """1,797 handwritten digits: x (1797, 8, 8) float32 from 0 to 16, y 0 to 9.

    A space for images reads a sample as height and width. A space for sequences reads it row by
    row, as time and channels.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    # scikit-learn gives each image as one row of 64 values.
    images = x.reshape(-1, 8, 8)
    return Arrays("digits", images.astype(np.float32), y)


def _breast_cancer() -> Arrays:
    """569 tumours: x (569, 30) of measurements of cell nuclei, y 0 malignant or 1 benign."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return Arrays("breast_cancer", x, y)


def _wine() -> Arrays:
    """178 wines of three growers: x (178, 13) of chemical measurements, y 0 to 2."""
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    return Arrays("wine", x, y)


def _diabetes() -> Arrays:
    """442 patients: x (442, 10) as it was measured, y the progression of the disease a year later,
    25 to 346."""
    from sklearn.datasets import load_diabetes

    # scikit-learn's own scaling has seen the test data. The model normalizes what it is given.
    x, y = load_diabetes(return_X_y=True, scaled=False)
    return Arrays("diabetes", x, y)


SOURCES: Mapping[str, Callable[[], Arrays]] = {
    "breast_cancer": _breast_cancer,
    "diabetes": _diabetes,
    "digits": _digits,
    "wine": _wine,
}
"""Data sets by name, all in scikit-learn's own files.

A new data set needs a function and a line here.
"""


def load_source(name: str) -> Arrays:
    """The data set of this name.

    Raises:
        InvalidData: there is no data set of this name.
    """
    if name not in SOURCES:
        names = sorted(SOURCES)
        known = ", ".join(names)
        hint = did_you_mean(name, names)
        message = f"no data set has this name. Known: {known}. Received: {name!r}.{hint}"
        raise InvalidData(Issue(message, key="data.name"))
    load = SOURCES[name]
    return load()


KEYS = ("x", "y", "x_test", "y_test")
"""The arrays that a file may hold."""

OTHER_NAMES = {
    "x_train": "x",
    "y_train": "y",
    "data": "x",
    "features": "x",
    "images": "x",
    "samples": "x",
    "labels": "y",
    "target": "y",
    "targets": "y",
}
"""What other libraries call these arrays."""

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


def load_npz(path: Path, memory: Memory | None = None) -> Arrays:
    """The arrays `x`, `y` and, if present, `x_test`, `y_test` of a file of `numpy.savez`.

    Args:
        memory: tells how much memory is free; by default that of this machine.

    Raises:
        InvalidData: the file is missing, is no `.npz`, is damaged, lacks an array, has another one,
            or is larger than memory. All issues of its arrays are reported at once.
    """
    origin = str(path)
    found: dict[str, Array] = {}
    # Arrays are read when they are asked for, so the file must stay open until then.
    with _open(path, origin) as file:
        archive = _archive(file, origin)
        issues = _missing_keys(archive.files, origin) + _unknown_keys(archive.files, origin)
        present = [key for key in KEYS if key in archive.files]
        headers = _headers(archive, present)
        # Nothing is unpacked before this, so that a small file cannot take all memory.
        if too_large := check_room(headers, memory or Memory(), origin):
            raise InvalidData(issues + too_large)
        for key in present:
            array = _read(archive, key, headers.get(key), origin)
            if isinstance(array, Issue):
                issues.append(array)
            else:
                found[key] = array
    if issues:
        raise InvalidData(issues)
    return Arrays(
        origin,
        x=found["x"],
        y=found["y"],
        x_test=found.get("x_test"),
        y_test=found.get("y_test"),
    )


def _headers(archive: np.lib.npyio.NpzFile, keys: list[str]) -> dict[str, Header]:
    """The headers of these arrays. One that cannot be read is left to `_read`, which tells why."""
    headers: dict[str, Header] = {}
    packed = archive.zip
    assert packed is not None, "the archive is open"
    for key in keys:
        with suppress(ValueError, MemoryError, *UNREADABLE):
            if header := read_header(packed, key):
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
    wanted = ["x", "y"]
    # Half a test set is of no use.
    if ("x_test" in keys) != ("y_test" in keys):
        wanted += ["x_test", "y_test"]
    found = ", ".join(keys) or "none"
    message = (
        f"this array is missing. Allowed: x and y, and x_test and y_test together. Found: {found}."
    )
    return [Issue(message, key, origin) for key in wanted if key not in keys]


def _unknown_keys(keys: list[str], origin: str) -> list[Issue]:
    """An issue for each array that evonas would not read, or could not tell from another."""
    issues = []
    unknown = []
    for key in dict.fromkeys(keys):
        if key not in KEYS:
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
    message = f"unknown array. Allowed: {', '.join(KEYS)}."
    word = key.lower()
    known = OTHER_NAMES.get(word)
    hint = f" Did you mean {known!r}?" if known else did_you_mean(word, KEYS)
    # An array of that name is there already.
    if hint and any(f"{name!r}" in hint for name in keys):
        hint = ""
    if "val" in word:
        hint = " Samples for validation are split off x: see `validation` under `data`."
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
