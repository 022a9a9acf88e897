"""Deleting a run: what evonas has made in its folder, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evonas.errors import InvalidRecord, RunHeld
from evonas.export.made import OWN_FOLDERS, is_of_record, name_in, sorted_out
from evonas.files import delete, failure
from evonas.runtime.record.layout import LOCK, Layout, Lock, is_held
from evonas.runtime.record.reader import RecordReader


@dataclass(frozen=True)
class Belongings:
    """What evonas has made in a run's folder.

    Attributes:
        paths: files and folders, in the order in which they are deleted.
        files: number of files.
        bytes: bytes on the disk that only these files have.
        kept: what else is in the folder, relative to it: files, and folders of others as a whole.
    """

    paths: tuple[Path, ...]
    files: int
    bytes: int
    kept: tuple[str, ...]


def belongings(directory: Path) -> Belongings:
    """What would be deleted with a run.

    Args:
        directory: folder of the run.

    Raises:
        UserError: there is no record.
        InvalidRecord: the record there is none of evonas's, or is damaged. Then the folder may be
            anybody's.
    """
    try:
        RecordReader(Layout(directory).record).close()
    except InvalidRecord as error:
        told = "It is not clear that the folder is a run, and nothing was deleted."
        raise InvalidRecord(f"{str(error).rstrip('.')}. {told}") from error
    paths, kept = sorted_out(directory, directory)
    # The record goes last: as long as it is there, the folder is a run that can be deleted.
    paths.sort(key=lambda path: is_of_record(name_in(path, directory)))
    files = [path for path in paths if name_in(path, directory) not in OWN_FOLDERS]
    sizes = [size for path in files for size in _sizes(path)]
    return Belongings(tuple(paths), len(sizes), sum(sizes), tuple(kept))


def refuse_held(directory: Path) -> None:
    """Refuse to delete a run that is in use.

    Raises:
        RunHeld: another process is working on it.
    """
    if is_held(Layout(directory)):
        raise RunHeld(f"the run at {directory} is being worked on. Stop that first.")


def remove(directory: Path) -> Belongings:
    """Delete a run, and its folder if nothing else is in it.

    Returns:
        what was deleted.

    Raises:
        RunHeld: another process is working on it.
        UserError: there is no record, or one of its folders is a symbolic link.
        InvalidRecord: the record there is none of evonas's, or is damaged.
        DiskFailure: a file cannot be deleted.
    """
    # Before the lock, which makes a file and deletes what looks half written.
    belongings(directory)
    with Lock(Layout(directory)):
        found = belongings(directory)
        try:
            for path in found.paths:
                if name_in(path, directory) in OWN_FOLDERS:
                    path.rmdir()
                else:
                    delete(path)
            (directory / LOCK).unlink(missing_ok=True)
            if not found.kept:
                # The folder may be elsewhere, with a link in its place.
                directory.resolve().rmdir()
                if directory.is_symlink():
                    directory.unlink()
        except OSError as error:
            raise failure(error, f"{error.filename or directory} cannot be deleted") from error
    return found


def _sizes(path: Path) -> Iterator[int]:
    """The size of each file in bytes; 0 for one that has another name elsewhere, and stays."""
    inside = [path] if path.is_symlink() or path.is_file() else path.rglob("*")
    for file in inside:
        status = os.lstat(file)
        if file.is_symlink() or not file.is_dir():
            yield status.st_size if status.st_nlink == 1 else 0
