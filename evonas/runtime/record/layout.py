"""Where the files of a run's directory are, and which process holds the run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from evonas.errors import RunHeld, UserError
from evonas.files import delete_temporary_files, failure, not_through_a_link

LOCK = "run.lock"
EXPERIMENT = "experiment.json"
"""The configs of an experiment's runs, as they were at its beginning.

Another experiment of the same name is refused by them.
"""
ORDER = "evolve.yaml"
"""The config that `evonas.evolve` has made of its arguments."""
GIVEN = "given"
"""Folder of the arrays or the table that `evonas.evolve` was given."""
FOLDERS = ("data", "logs", "weights", "checkpoints", "exports")


@dataclass(frozen=True)
class Layout:
    """The paths of one run.

    Attributes:
        root: the run's directory.
    """

    root: Path

    def title(self, run: str) -> str:
        """The name of a run, or that of its folder if it is a further run of this name: `NAME-2`.

        Args:
            run: name of the run in its config.
        """
        folder = self.root.absolute().name
        return folder if re.fullmatch(rf"{re.escape(run)}-[0-9]+", folder) else run

    @property
    def record(self) -> Path:
        return self.root / "run.db"

    @property
    def log_of_record(self) -> Path:
        """SQLite's write-ahead log: there while a session works, and after one that was killed."""
        return self.root / "run.db-wal"

    @property
    def config(self) -> Path:
        """A copy of the config for people, and for another run. Evonas itself never reads it."""
        return self.root / "config.yaml"

    @property
    def logs(self) -> Path:
        return self.root / "logs"


def is_held(layout: Layout) -> bool:
    """Whether a process is working on the run at this moment."""
    path = layout.root / LOCK
    try:
        with path.open(encoding="utf-8") as file:
            # A shared lock: two processes that only look do not disturb each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# What a session opens, or writes into, under a name that anybody knows. All other files are put in
# the place of what is there.
_WRITTEN = (LOCK, "run.db", "run.db-wal", "run.db-shm", "run.db-journal", *FOLDERS)


def _refuse_links(root: Path) -> None:
    """Refuse a run that would have a session write to files of somebody else.

    An archive keeps links, and so does a folder that others can write to. The run's folder as a
    whole may be a link.

    Raises:
        UserError: there is a link.
    """
    for name in _WRITTEN:
        path = root / name
        if path.is_symlink():
            raise UserError(
                f"{path} is a symbolic link, to {path.readlink()}. A run writes to its own files"
                " only. Delete the link, or put what it names in its place."
            )


def _refuse_dangling(root: Path) -> None:
    """Refuse a folder that cannot be made, because a link of its name leads nowhere.

    Raises:
        UserError: there is such a link.
    """
    for place in (root, *root.parents):
        if place.is_symlink() and not place.exists():
            raise UserError(
                f"{place} is a symbolic link to {place.readlink()}, which does not exist. Make that"
                " folder, or delete the link."
            )


class Lock:
    """Held by the one process that works on a run.

    The kernel releases the lock when its holder ends, even if the holder is killed. What an earlier
    holder left half written is deleted.

    Raises:
        UserError: one of the run's own files or folders is a symbolic link, or its folder is one
            that leads nowhere.
        RunHeld: another process holds the lock.
        DiskFailure: the directory is not writable.
    """

    def __init__(self, layout: Layout) -> None:
        root = layout.root
        path = root / LOCK
        _refuse_dangling(root)
        try:
            root.mkdir(parents=True, exist_ok=True)
            _refuse_links(root)
            # Opened for appending: "w" would erase the name of the process that holds the lock.
            descriptor = not_through_a_link(str(path), os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._file: TextIO = os.fdopen(descriptor, "a+", encoding="utf-8", errors="replace")
        except OSError as error:
            raise failure(error, f"the run at {root} is not writable") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._holder()
            self._file.close()
            raise RunHeld(
                f"the run at {root} is being worked on by {holder}. "
                "Only one process may, at a time."
            ) from error
        # The name is only for people: on a full disk, the lock holds without it.
        with contextlib.suppress(OSError):
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            self._file.flush()
        delete_temporary_files(root)

    def _holder(self) -> str:
        """The process that holds the lock, in words."""
        # A process that has just taken the lock may still be writing its name.
        time.sleep(0.1)
        self._file.seek(0)
        name = self._file.read().strip("\0\n ")
        return name or "an unknown process"

    def release(self) -> None:
        self._file.close()

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
