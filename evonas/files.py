"""Writing a file whole or not at all, and telling by its sha256 whether it is still the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from evonas.errors import DiskFailure
from evonas.failpoints import as_it_is, failpoint


def write_whole(path: Path, writer: Callable[[BinaryIO], object]) -> None:
    """Write a file so that a reader, or a crash at any instant, meets the old content or the new, never a part.

    The content goes to `<path>.tmp` first, is flushed to the disk, and takes its name by one rename. A path has one
    writer at a time; the temporary file of a killed one is overwritten by the next. Missing folders are made.

    Args:
        path: of the file; an existing file is replaced.
        writer: writes the content to the open file that it is given.

    Raises:
        DiskFailure: the disk is full, or the folder is not writable.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        failpoint("file.begun", disk=as_it_is)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            writer(file)
            failpoint("file.written", disk=as_it_is, file=file)
            file.flush()
            os.fsync(file.fileno())
        failpoint("file.flushed", disk=as_it_is)
        temporary.replace(path)
        failpoint("file.renamed")
        flush_directory(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise DiskFailure(f"{path} cannot be written: {error.strerror or error}.") from error
        raise


def write_text_whole(path: Path, text: str) -> None:
    """`write_whole` for text, in UTF-8 and with the line ends that it has."""
    write_whole(path, lambda file: file.write(text.encode()))


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, as 64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush_directory(directory: Path) -> None:
    """A rename is on the disk only when its folder is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
