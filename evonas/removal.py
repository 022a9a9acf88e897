"""Deleting a run: what evonas has made in its folder, and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from evonas.data.fitting import FITTED
from evonas.data.prepared import FILES, FOLDS, RAW_FILES, WEIGHTS
from evonas.data.sources.given import VALIDATION
from evonas.data.sources.handed import LIST, TABLE
from evonas.errors import InvalidRecord, RunHeld
from evonas.export.artefacts import ARTEFACTS
from evonas.files import delete, failure
from evonas.runtime.openings import FRESH
from evonas.runtime.record.layout import FOLDERS, GIVEN, LOCK, ORDER, Layout, Lock, is_held
from evonas.runtime.record.reader import RecordReader

_FOLDERS = frozenset({*FOLDERS, "data/test", GIVEN, FRESH.rstrip("/")})
"""Folders that evonas makes in that of a run. Other files may lie there, too."""

_ARRAYS = chain(*FILES.values(), WEIGHTS.values(), RAW_FILES.values(), (FOLDS, FITTED))
_OF_EVOLVE = (ORDER, *(f"{GIVEN}/{name}" for name in (LIST, TABLE, VALIDATION)))
_FILES = frozenset((*_ARRAYS, *_OF_EVOLVE, *(one.name for one in ARTEFACTS)))
"""Files that evonas makes under names that are always the same, relative to the run's folder."""

_NUMBERED = re.compile(
    rf"""
    logs/worker-\d+\.log
    | (weights|checkpoints)/\d{{5,}}(-refitted)?\.npz
    | {FRESH}\d+(\.refitted)?\.npz
    | {GIVEN}/\w+\.bin
    | exports/\d{{5,}}(\.\w+)*  # a file, or a folder as a format of its own
    """,
    re.VERBOSE,
)
"""Those of a trial, a worker or an array."""


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
    paths, kept = _sorted_out(directory, directory)
    # The record goes last: as long as it is there, the folder is a run that can be deleted.
    paths.sort(key=lambda path: _is_of_record(_name(path, directory)))
    files = [path for path in paths if _name(path, directory) not in _FOLDERS]
    sizes = [size for path in files for size in _sizes(path)]
    return Belongings(tuple(paths), len(sizes), sum(sizes), tuple(kept))


def _sorted_out(folder: Path, root: Path) -> tuple[list[Path], list[str]]:
    """What evonas has made in a folder of a run, and the names of all else in it.

    A folder comes after what is in it, and only if nothing is kept there.
    """
    made: list[Path] = []
    kept: list[str] = []
    for path in sorted(folder.iterdir()):
        name = _name(path, root)
        if name in _FOLDERS and path.is_dir() and not path.is_symlink():
            inside, others = _sorted_out(path, root)
            made += inside if others else [*inside, path]
            kept += others
        elif _is_made(name, Layout(root)):
            made.append(path)
        elif name != LOCK:
            kept.append(name)
    return made, kept


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _is_made(name: str, layout: Layout) -> bool:
    """Whether evonas makes a file of this name, relative to the run's folder."""
    is_known = name in _FILES or name == layout.config.name
    return is_known or _is_of_record(name) or _NUMBERED.fullmatch(name) is not None


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
                if _name(path, directory) in _FOLDERS:
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


def _is_of_record(name: str) -> bool:
    """Whether it is the record, one of its logs, or a backup of it as an older evonas wrote it."""
    return re.fullmatch(r"run\.db(-(wal|shm|journal)|\.v\d+)?", name) is not None


def _sizes(path: Path) -> Iterator[int]:
    """The size of each file in bytes; 0 for one that has another name elsewhere, and stays."""
    inside = [path] if path.is_symlink() or path.is_file() else path.rglob("*")
    for file in inside:
        status = os.lstat(file)
        if file.is_symlink() or not file.is_dir():
            yield status.st_size if status.st_nlink == 1 else 0
