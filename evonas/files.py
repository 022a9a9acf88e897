"""Writing a file whole or not at all, and telling by its sha256 whether it is still the same."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from evonas.errors import DiskFailure, EvonasError, SystemLimit, UserError
from evonas.failpoints import as_it_is, failpoint

FOLDER = "is a folder, and a file is wanted"

# A path that leads nowhere is no failure of a disk, and the user can mend it.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Errors of a disk that is full, is full for this user, is read-only, or fails."""

_WRONG_PATH = (errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

_TEMPORARY = re.compile(r"\.evonas-[0-9a-f]{16}\.[\w.]+")


def temporary_beside(path: Path, ending: str = ".tmp") -> Path:
    """A new name in the same folder, for what is to be renamed to `path` once it is whole.

    Nobody can guess it: a name that is known could be a link to somebody's file, or a file of the
    user's own.
    """
    return path.with_name(f".evonas-{secrets.token_hex(8)}{ending}")


def delete_temporary_files(folder: Path) -> None:
    """Delete what killed processes have left behind in this folder and in those within it.

    Nobody may be writing there. Never raises: what cannot be deleted stays.
    """
    for root, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            if _TEMPORARY.fullmatch(name):
                with suppress(OSError):
                    delete(Path(root, name))


def delete(path: Path) -> None:
    """Delete a file, or a folder with all that is in it; a link goes, and what it names stays.

    Raises:
        OSError: something cannot be deleted.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def not_through_a_link(name: str, flags: int) -> int:
    """An `opener` for `open`: opens the file itself, never what a link in its place names.

    Raises:
        OSError: with errno ELOOP, there is a symbolic link.
    """
    return os.open(name, flags | os.O_NOFOLLOW, 0o666)


def failure(error: OSError, what: str) -> EvonasError:
    """The error for the user: whether the disk, the path or a limit of the system is the reason.

    Args:
        what: what could not be done, such as `FILE cannot be written`.
    """
    words = f"{what}: {error.strerror or error}."
    if error.errno in _LIMITS:
        if error.errno != errno.ENOMEM:
            words += " To see how many files may be open:  ulimit -n"
        return SystemLimit(words)
    if error.errno in _WRONG_PATH:
        return UserError(words)
    return DiskFailure(words)


def write_whole(path: Path, writer: Callable[[BinaryIO], object]) -> None:
    """Writes a file whole or not at all.

    A reader always finds the old content or the new content, also after a crash at any instant.
    Missing folders are made. A link at `path` is replaced, and what it names is left alone.

    Args:
        path: path of the file; an existing file is replaced.
        writer: function that writes the content to the open file that it is given.

    Raises:
        DiskFailure: the disk is full, or the folder is not writable.
        UserError: the path leads through something that is no folder.
        SystemLimit: too many files are open.
    """
    temporary = temporary_beside(path)
    try:
        failpoint("file.begun", disk=as_it_is)
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": the file is made here and now, or it is an error.
        with temporary.open("xb") as file:
            writer(file)
            failpoint("file.written", disk=as_it_is, file=file)
            # The content must be on the disk before the rename. Otherwise a power cut can leave
            # the new name with half of the content.
            file.flush()
            os.fsync(file.fileno())
        failpoint("file.flushed", disk=as_it_is)
        temporary.replace(path)
        failpoint("file.renamed")
        flush_directory(path.parent)
    except BaseException as error:
        # A failure to tidy up must not hide the first error.
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise failure(error, f"{path} cannot be written") from error
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


def sha256_of_tree(path: Path) -> str:
    """The sha256 of a file, or that of the list of a folder's files, as `sha256sum` prints it.

    Raises:
        OSError: a file cannot be read.
    """
    if not path.is_dir():
        return sha256_of(path)
    lines = [f"{sha256}  {name}\n" for name, sha256 in files_within(path).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files_within(folder: Path) -> dict[str, str]:
    """The sha256 of each file in a folder and below, by its path in the folder, sorted.

    Raises:
        OSError: a file cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a file is there, and has the very content that it had.

    Raises:
        OSError: it cannot be read.
    """
    return path.is_file() and sha256_of(path) == sha256


def flush(path: Path) -> None:
    """Bring the content of a file, or of all files of a folder, to the disk."""
    paths = [found for found in path.rglob("*") if found.is_file()] if path.is_dir() else [path]
    for found in paths:
        with found.open("rb") as file:
            os.fsync(file.fileno())


def flush_directory(directory: Path) -> None:
    """Brings a rename to the disk: it is there only when its folder is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def expanded(path: str | Path) -> Path:
    """The path with `~` written out; as it is if there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_file(path: Path) -> bool:
    """Whether there is a file that can be looked at; False for what cannot be a path at all."""
    return not why_no_file(path)


def is_folder(path: Path) -> bool:
    """Whether there is a folder that can be looked at; False for what cannot be a path at all."""
    return why_no_file(path) == FOLDER


def why_no_file(path: Path) -> str:
    """Why no file can be looked at here, in words; empty if one can."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return "may not be looked at: permission denied"
    # A name that is too long is another OSError, a NUL may be a ValueError.
    except (OSError, ValueError):
        return "there is no such file"
    if stat.S_ISDIR(mode):
        return FOLDER
    return "" if stat.S_ISREG(mode) else "is no regular file"


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a path is of what lies outside of a folder, also by links.

    A folder may be of somebody else. What its files name must not be read from elsewhere.
    """
    try:
        target = Path(os.path.realpath(path))
    # A NUL: there is no such file.
    except ValueError:
        return False
    return not target.is_relative_to(os.path.realpath(folder))


@contextmanager
def kept_folder() -> Iterator[None]:
    """Go back to the current folder, whatever the code in between does: paths may be relative."""
    try:
        before = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    # It cannot be read, or is deleted: then there is nothing to go back to.
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.fchdir(before)
        os.close(before)
