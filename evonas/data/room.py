"""Whether the arrays of an `.npz` file fit into memory, told before anything is unpacked.

Zeros compress a thousand times, and a kernel that runs out of memory kills without a word.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.data.arrays import GIVEN
from evonas.errors import Issue
from evonas.memory import Memory
from evonas.words import size

WORKSPACE = 250 * 2**20
WORK_PER_VALUE = 50
"""Bytes that checks and the split take besides the arrays (measured), in all and for each value."""


@dataclass(frozen=True)
class Header:
    """What a file says of an array.

    Attributes:
        values: number of values; no more than are in the file.
        is_whole: whether the file has as many as the header says.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    values: int
    is_whole: bool = True

    def bytes(self, dtype: np.dtype[Any] | None = None) -> int:
        """The size of the array in a type; None for its own."""
        return self.values * (dtype or self.dtype).itemsize


def stored_dtype(dtypes: Iterable[np.dtype[Any]]) -> np.dtype[Any]:
    """The type in which samples of these types are stored and trained on."""
    for dtype in dtypes:
        is_small = dtype.kind == "b" or dtype == np.uint8
        if not is_small:
            return np.dtype(np.float32)
    # A quarter of the memory and of the disk.
    return np.dtype(np.uint8)


def read_header(archive: zipfile.ZipFile, key: str) -> Header | None:
    """The header of the array of this name; None for a format that no plain array has.

    Raises:
        whatever a damaged zip file raises, and `ValueError` for a header that is none.
    """
    # `numpy.savez` adds the ending, and NumPy reads members without it as well.
    member = next(name for name in (f"{key}.npy", key) if name in archive.namelist())
    with archive.open(member) as file:
        found = _read(file)
    if found is None:
        return None
    shape, dtype = found
    # NumPy refuses a negative length later, which must not make up for another array until then.
    said = max(0, math.prod(shape))
    # The member has no more bytes than this, whatever its header says.
    most = archive.getinfo(member).file_size
    # The bytes of objects are not their number.
    is_whole = dtype.hasobject or said * dtype.itemsize <= most
    values = said if is_whole else most // dtype.itemsize
    # A type may itself be an array, of which each value counts.
    values *= dtype.itemsize // max(1, dtype.base.itemsize)
    return Header(shape, dtype.base, values, is_whole)


def _read(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        # Only arrays whose fields have names beyond Latin-1, which no network takes.
        return None
    return shape, dtype


def fits(count: int, memory: Memory) -> bool:
    """Whether so many bytes of samples can be held in memory, with room for all other steps."""
    # The parts of a split are copies, chunk by chunk of what is written.
    return 2 * count + WORKSPACE <= memory.free().bytes


def check_room(headers: Mapping[str, Header], memory: Memory, origin: str) -> list[Issue]:
    """An issue if reading and preparing these arrays takes more memory than there is.

    Args:
        headers: the arrays to be read, by name.
    """
    if not headers:
        return []
    needed = _needed(headers)
    free = memory.free()
    if needed <= free.bytes:
        return []
    largest = max(headers, key=lambda key: headers[key].bytes())
    header = headers[largest]
    message = (
        f"is too large: shape {header.shape} of {header.dtype}, {size(header.bytes())} unpacked."
        f" To read, convert and split the arrays of this file takes {size(needed)} of memory."
        f" Free on {free.where}: {size(free.bytes)}."
    )
    return [Issue(message, largest, origin)]


def _needed(headers: Mapping[str, Header]) -> int:
    """The bytes that it takes to prepare these arrays, at most."""
    stored = stored_dtype(header.dtype for key, header in headers.items() if key.startswith("x"))
    values = sum(header.values for header in headers.values())
    needed = min(WORKSPACE, WORK_PER_VALUE * values)
    given = {name for names in GIVEN.values() for name in names}
    for key, header in headers.items():
        dtype = stored if key.startswith("x") else np.dtype(np.float64)
        needed += header.bytes()
        if header.dtype != dtype:
            needed += header.bytes(dtype)
        # The parts of a split are copies. A part that is given is not split.
        if key not in given:
            needed += header.bytes(dtype)
    return needed
