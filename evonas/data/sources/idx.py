"""Arrays in idx files, the format of MNIST: also packed by gzip, also MNIST's four in a folder."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, RawSamples
from evonas.data.room import Header, check_room
from evonas.data.sources.path_source import PathSource, first_bytes
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.files import sha256_of
from evonas.memory import Memory
from evonas.words import listed

TYPES: Mapping[int, str] = {
    0x08: ">u1",
    0x09: ">i1",
    0x0B: ">i2",
    0x0C: ">i4",
    0x0D: ">f4",
    0x0E: ">f8",
}
"""The third byte of a file -> type of its values, which are big-endian."""

PARTS = {"train": "x", "t10k": "x_test", "test": "x_test"}
"""How MNIST and its relatives call their parts -> what evonas calls the samples of each."""

_NAME = re.compile(
    r"(?P<before>.*?)(?P<part>train|t10k|test)[-_](?P<what>images|labels)[-_.]idx\d-ubyte(\.gz)?",
    re.IGNORECASE,
)

_UNREADABLE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True)
class Idx(PathSource):
    """The four files of MNIST in a folder, or one file of samples with its labels beside it.

    Attributes:
        target: name of the file of labels, from the folder of `path`; None to find it by its name.
    """

    target: str | None = None

    words: ClassVar[str] = "an idx file, or a folder with MNIST's four"

    @classmethod
    def reads(cls, path: Path) -> bool:
        if path.is_dir():
            return any(_NAME.fullmatch(found.name) for found in path.iterdir())
        return _NAME.fullmatch(path.name) is not None or _is_idx(first_bytes(path))

    def read(self, memory: Memory) -> Arrays:
        files = self._files()
        arrays: dict[str, Any] = {key: read_idx(path, memory) for key, path in files.items()}
        from_where = listed([f"{key} from {path.name}" for key, path in files.items()])
        return Arrays(self.path, **arrays, notes=(f"data: idx files: {from_where}.",))

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        path = Path(self.path)
        if path.is_dir():
            message = "holds several files. Name the one of the images."
            raise InvalidData(Issue(message, file=self.path))
        return read_idx(path, memory), ()

    def mark(self) -> Mapping[str, str]:
        # Only what is read: a folder of many megabytes may lie around the four files.
        if not Path(self.path).exists():
            return {}
        return {key: sha256_of(path) for key, path in self._files().items()}

    def _files(self) -> dict[str, Path]:
        """The file of each array.

        Raises:
            InvalidData: one is missing, or could be several.
        """
        path = Path(self.path)
        if path.is_dir():
            if self.target is not None:
                message = "is for a single file. In a folder, labels are found by their names."
                raise InvalidData(Issue(f"{message} Received: {self.target}.", "data.target"))
            return _in_folder(path)
        return {"x": path, "y": self._labels(path)}

    def _labels(self, path: Path) -> Path:
        """The file of the labels that belong to a file of samples."""
        if self.target is not None:
            labels = path.with_name(self.target)
            if labels.is_file():
                return labels
            there = [found.name for found in sorted(path.parent.iterdir()) if found != path]
            message = f"there is no file {self.target} in {path.parent}."
            raise InvalidData(Issue(message + did_you_mean(self.target, there), "data.target"))
        name = re.sub("images", "labels", path.name, flags=re.IGNORECASE)
        name = re.sub("idx3", "idx1", name, flags=re.IGNORECASE)
        plain = name.removesuffix(".gz")
        for labels in (path.with_name(one) for one in (name, plain, f"{plain}.gz")):
            if labels != path and labels.is_file():
                return labels
        is_labels = "labels" in path.name.lower()
        message = f"there are no labels beside it: a file {plain}, or its name under `target`."
        if is_labels or plain == path.name.removesuffix(".gz"):
            message = "nothing says which file holds the labels: write its name under `target`."
        if is_labels:
            message = "holds labels. Write the file of the images under `path`."
        raise InvalidData(Issue(message, file=str(path)))


def _is_idx(head: bytes) -> bool:
    """Whether a file begins as an idx file: two zeros, a known type, some axes."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= 8


def _in_folder(folder: Path) -> dict[str, Path]:
    """The files of MNIST's names in a folder, by array."""
    sets: dict[str, dict[str, Path]] = {}
    # Sorted: a file that is also there packed comes first as it is.
    for path in sorted(folder.iterdir()):
        if match := _NAME.fullmatch(path.name):
            x = PARTS[match["part"].lower()]
            key = x if match["what"].lower() == "images" else x.replace("x", "y")
            sets.setdefault(match["before"], {}).setdefault(key, path)
    if len(sets) > 1:
        first = [name.rstrip("-_.") or "without a first word" for name in sets]
        message = (
            f"holds {len(sets)} data sets: {listed(first)}. Write the path of one file of images,"
            " or keep each set in a folder of its own."
        )
        raise InvalidData(Issue(message, file=str(folder)))
    (files,) = sets.values()
    wanted = ["x", "y"]
    # Half a test set is of no use.
    if "x_test" in files or "y_test" in files:
        wanted += ["x_test", "y_test"]
    missing = [key for key in wanted if key not in files]
    if missing:
        there = ", ".join(path.name for path in files.values())
        message = (
            f"lacks {listed(missing)}. Allowed: train-images-idx3-ubyte and"
            " train-labels-idx1-ubyte, and perhaps the two of t10k; each also packed (.gz)."
            f" Found: {there}."
        )
        raise InvalidData(Issue(message, file=str(folder)))
    return {key: files[key] for key in wanted}


def read_idx(path: Path, memory: Memory) -> Array:
    """The array of an idx file.

    Raises:
        InvalidData: it is none, is damaged, or is larger than memory.
    """
    origin = str(path)
    try:
        with _opened(path) as file:
            header = _header(file, origin)
            if too_large := check_room({"x": header}, memory, origin):
                raise InvalidData(too_large)
            content = file.read(header.bytes() + 1)
    except _UNREADABLE as error:
        words = str(error).partition("\n")[0]
        raise InvalidData(Issue(f"cannot be read: {words}.", file=origin)) from error
    if len(content) != header.bytes():
        length = "more" if len(content) > header.bytes() else f"{len(content):,}"
        message = (
            f"is damaged or cut short: its header says shape {header.shape}, which is"
            f" {header.bytes():,} bytes. Received: {length}."
        )
        raise InvalidData(Issue(message, file=origin))
    values = np.frombuffer(content, header.dtype).reshape(header.shape)
    return values.astype(header.dtype.newbyteorder("="), copy=False)


def _opened(path: Path) -> BinaryIO:
    is_packed = first_bytes(path, 2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if is_packed else path.open("rb")


def _header(file: BinaryIO, origin: str) -> Header:
    head = file.read(4)
    if not _is_idx(head):
        message = "is no idx file: it must begin with two zeros, a type and a number of axes."
        raise InvalidData(Issue(f"{message} Received: {head!r}.", file=origin))
    axes = file.read(4 * head[3])
    shape = tuple(int(size) for size in np.frombuffer(axes[: len(axes) // 4 * 4], ">u4"))
    return Header(shape, np.dtype(TYPES[head[2]]), math.prod(shape))
