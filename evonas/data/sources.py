"""Where samples come from: data sets by name, and `.npz` files. Nothing is judged here but whether it can be read."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from evonas.errors import InvalidData, Issue, did_you_mean

Array = NDArray[Any]

HOW_TO_WRITE = "Write it with numpy.savez(path, x=..., y=...)."


@dataclass(frozen=True, eq=False)
class Arrays:
    """Samples as they were found.

    Attributes:
        origin: the file, or the data set's name, for messages.
        x: samples, (n, ...).
        y: targets, (n,) where all is well.
        x_test, y_test: a test set of the source's own; None where the test data are to be split off.
    """

    origin: str
    x: Array
    y: Array
    x_test: Array | None = None
    y_test: Array | None = None

    def named(self) -> dict[str, Array]:
        """The arrays that there are, by the names that messages call them."""
        pairs = {"x": self.x, "y": self.y, "x_test": self.x_test, "y_test": self.y_test}
        return {name: array for name, array in pairs.items() if array is not None}


def _digits() -> Arrays:
    """1,797 handwritten digits: x (1797, 8, 8) float32 from 0 to 16, y 0 to 9.

    A space for images reads a sample as height and width, one for sequences row by row, as time and channels.
    """
    from sklearn.datasets import load_digits  # 1.1 s

    x, y = load_digits(return_X_y=True)
    return Arrays("digits", x.reshape(-1, 8, 8).astype(np.float32), y)


def _breast_cancer() -> Arrays:
    """569 tumours: x (569, 30) of measurements of cell nuclei, y 0 malignant or 1 benign."""
    from sklearn.datasets import load_breast_cancer  # 1.1 s

    x, y = load_breast_cancer(return_X_y=True)
    return Arrays("breast_cancer", x, y)


def _wine() -> Arrays:
    """178 wines of three growers: x (178, 13) of chemical measurements, y 0 to 2."""
    from sklearn.datasets import load_wine  # 1.1 s

    x, y = load_wine(return_X_y=True)
    return Arrays("wine", x, y)


def _diabetes() -> Arrays:
    """442 patients: x (442, 10) as it was measured, y the progression of the disease a year later, 25 to 346.

    scikit-learn's own scaling is left out: it has seen the test data, and the model normalizes what it is given.
    """
    from sklearn.datasets import load_diabetes  # 1.1 s

    x, y = load_diabetes(return_X_y=True, scaled=False)
    return Arrays("diabetes", x, y)


SOURCES: Mapping[str, Callable[[], Arrays]] = {
    "breast_cancer": _breast_cancer,
    "diabetes": _diabetes,
    "digits": _digits,
    "wine": _wine,
}
"""Data sets by name, all in scikit-learn's own files; another is a function and a line here."""


def load_source(name: str) -> Arrays:
    """The data set of this name.

    Raises:
        InvalidData: there is none of this name.
    """
    if name not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        hint = did_you_mean(name, sorted(SOURCES))
        raise InvalidData(
            Issue(
                f"no data set has this name. Known: {known}. Received: {name!r}.{hint}",
                key="data.name",
            )
        )
    return SOURCES[name]()


UNREADABLE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError, struct.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError, SyntaxError),
)
"""What a damaged, encrypted or strangely packed member of a zip file raises when it is read."""


def load_npz(path: Path) -> Arrays:
    """The arrays `x`, `y` and, where present, `x_test`, `y_test` of a file written by `numpy.savez`.

    Raises:
        InvalidData: the file is missing, is no `.npz`, is damaged, or lacks a key; all problems with its keys at once.
    """
    origin = str(path)
    with _open(path, origin) as file:
        archive = _archive(file, origin)
        problems = _missing_keys(archive.files, origin)
        found: dict[str, Array] = {}
        for key in ("x", "y", "x_test", "y_test"):
            if key in archive.files:
                array = _read(archive, key, origin)
                if isinstance(array, Issue):
                    problems.append(array)
                else:
                    found[key] = array
    if problems:
        raise InvalidData(problems)
    return Arrays(origin, found["x"], found["y"], found.get("x_test"), found.get("y_test"))


def _open(path: Path, origin: str) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise InvalidData(Issue(f"there is no such file. {HOW_TO_WRITE}", file=origin)) from error
    except IsADirectoryError as error:
        raise InvalidData(Issue("is a directory, an .npz file is wanted.", file=origin)) from error
    except OSError as error:
        raise InvalidData(
            Issue(f"cannot be read: {error.strerror or error}.", file=origin)
        ) from error


def _archive(file: BinaryIO, origin: str) -> np.lib.npyio.NpzFile:
    try:
        loaded = np.load(file, allow_pickle=False)
    except zipfile.BadZipFile as error:
        raise InvalidData(
            Issue("is damaged or cut short: its zip directory cannot be read.", file=origin)
        ) from error
    except (ValueError, EOFError) as error:
        raise InvalidData(Issue(f"is no .npz file. {HOW_TO_WRITE}", file=origin)) from error
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise InvalidData(
            Issue(f"is an .npy file with one array, an .npz is wanted. {HOW_TO_WRITE}", file=origin)
        )
    return loaded


def _missing_keys(keys: list[str], origin: str) -> list[Issue]:
    found = ", ".join(keys) or "none"
    wanted = ["x", "y"]
    if ("x_test" in keys) != ("y_test" in keys):
        wanted += ["x_test", "y_test"]
    return [
        Issue(
            f"this array is missing. Allowed: x and y, and x_test and y_test together. Found: {found}.",
            key,
            origin,
        )
        for key in wanted
        if key not in keys
    ]


def _read(archive: np.lib.npyio.NpzFile, key: str, origin: str) -> Array | Issue:
    """One array, or what is wrong with it; each member of the archive is decompressed only here."""
    try:
        array: Array = archive[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            return Issue(f"is damaged: {error}.", key, origin)
        message = "holds Python objects (rows of different lengths, or mixed types), one array of plain values is wanted."
        return Issue(f"{message} Pad rows to one length.", key, origin)
    except MemoryError as error:
        return Issue(f"is larger than this machine can hold: {error}.", key, origin)
    except UNREADABLE as error:
        return Issue(f"is damaged or cut short: {error}.", key, origin)
    if not isinstance(array, np.ndarray):
        return Issue(f"is no array. {HOW_TO_WRITE}", key, origin)
    return array
