"""The bytes of a file with a table, unpacked, if there is room for them."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

from evonas.data.tables.endings import tables_in
from evonas.errors import InvalidData, Issue
from evonas.memory import Memory
from evonas.words import size

ROOM = 12
"""Bytes of memory that a table takes for each byte of its text: cells, arrays and their copies.

Measured as the peak of reading `adult` twenty times over, 48 MiB: 11.
"""

PIECE = 1 << 24

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"

OTHERS = {
    b"PK\x03\x04": "a zip file, as those of Excel (.xlsx) are: save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "a file of an old Excel: save the sheet as CSV (UTF-8)",
    b"\x89HDF": "an HDF5 file: write the table as CSV or Parquet",
    b"SQLite format 3": "an SQLite file: write the table as CSV or Parquet",
    b"ARROW1": "an Arrow file: write the table as Parquet",
    b"\x93NUMPY": "an .npy file: give it this ending",
}
"""What other kinds of files begin with, and what to do."""


def read_bytes(path: Path, memory: Memory) -> bytes:
    """The content of a file, unpacked if it is gzipped.

    Raises:
        InvalidData: it is not there, is damaged, is of another kind, or is larger than memory.
    """
    origin = str(path)
    try:
        with path.open("rb") as file:
            begin = file.read(16)
            file.seek(0)
            if begin.startswith(GZIP):
                content = _unpacked(gzip.GzipFile(fileobj=file), origin, memory)
            else:
                content = _unpacked(file, origin, memory)
    except FileNotFoundError as error:
        raise InvalidData(Issue("there is no such file.", file=origin)) from error
    except IsADirectoryError as error:
        message = f"is a folder, and a file with a table is wanted. {tables_in(path)}".rstrip()
        raise InvalidData(Issue(message, file=origin)) from error
    # Both are what a damaged gzip file raises; the first one is an `OSError` as well.
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        message = f"is damaged or cut short: {error}."
        raise InvalidData(Issue(message, file=origin)) from error
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}."
        raise InvalidData(Issue(message, file=origin)) from error
    for mark, words in OTHERS.items():
        if content.startswith(mark):
            raise InvalidData(Issue(f"is {words}.", file=origin))
    if not content.strip():
        raise InvalidData(Issue("is empty.", file=origin))
    return content


def _unpacked(file: BinaryIO | gzip.GzipFile, origin: str, memory: Memory) -> bytes:
    """All bytes of an open file.

    Raises:
        InvalidData: there are too many of them.
    """
    most = memory.free().bytes // ROOM
    pieces: list[bytes] = []
    count = 0
    # A gzip file of zeros is a thousandth of what it unpacks to.
    while piece := file.read(PIECE):
        pieces.append(piece)
        count += len(piece)
        if count > most:
            free = memory.free()
            message = (
                f"is too large: more than {size(most)} unpacked, and a table takes {ROOM} times"
                f" its size of memory. Free on {free.where}: {size(free.bytes)}."
            )
            raise InvalidData(Issue(message, file=origin))
    return b"".join(pieces)
