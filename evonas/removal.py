"""Deleting a run: what evonas has made in its folder, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evonas.errors import RunHeld
from evonas.export.artefacts import ARTEFACTS
from evonas.files import delete, failure
from evonas.runtime.record.layout import FOLDERS, LOCK, Layout, Lock, is_held


@dataclass(frozen=True)
class Belongings:
    """What evonas has made in a run's folder.

    Attributes:
        paths: files and folders, in the order in which they are deleted.
        files: number of files.
        bytes: bytes on the disk that only these files have.
        kept: names of what else is in the folder.
    """

    paths: tuple[Path, ...]
    files: int
    bytes: int
    kept: tuple[str, ...]


def belongings(directory: Path) -> Belongings:
    """What would be deleted with a run.

    Args:
        directory: folder of the run.
    """
    layout = Layout(directory)
    made = {*FOLDERS, *(one.name for one in ARTEFACTS), layout.config.name}
    paths = []
    kept = []
    for path in sorted(directory.iterdir()):
        if path.name in made or _is_of_record(path, layout):
            paths.append(path)
        elif path.name != LOCK:
            kept.append(path.name)
    # The record goes last: as long as it is there, the folder is a run that can be deleted.
    paths.sort(key=lambda path: _is_of_record(path, layout))
    sizes = [size for path in paths for size in _sizes(path)]
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
        UserError: one of its folders is a symbolic link.
        DiskFailure: a file cannot be deleted.
    """
    with Lock(Layout(directory)):
        found = belongings(directory)
        try:
            for path in found.paths:
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


def _is_of_record(path: Path, layout: Layout) -> bool:
    """Whether it is the record, one of its logs, or a backup of it as an older evonas wrote it."""
    return path.name == layout.record.name or path.name.startswith(
        (f"{layout.record.name}-", f"{layout.record.name}.v")
    )


def _sizes(path: Path) -> Iterator[int]:
    """The size of each file in bytes; 0 for one that has another name elsewhere, and stays."""
    inside = [path] if path.is_symlink() or path.is_file() else path.rglob("*")
    for file in inside:
        status = os.lstat(file)
        if file.is_symlink() or not file.is_dir():
            yield status.st_size if status.st_nlink == 1 else 0
