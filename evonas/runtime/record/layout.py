"""Where things are in a run's directory, and who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from evonas.errors import DiskFailure, RunHeld

LOCK = "run.lock"


@dataclass(frozen=True)
class Layout:
    """The paths of one run.

    Attributes:
        root: the run's directory.
    """

    root: Path

    @property
    def record(self) -> Path:
        return self.root / "run.db"

    @property
    def log_of_record(self) -> Path:
        """SQLite's write-ahead log: there while a session works, and after one that was killed."""
        return self.root / "run.db-wal"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def model(self) -> Path:
        return self.root / "best.keras"

    @property
    def card(self) -> Path:
        """What there is to know about the exported model, as JSON."""
        return self.root / "best.json"

    @property
    def climb(self) -> Path:
        return self.root / "genealogy.svg"

    @property
    def front(self) -> Path:
        """The picture of the front, of a run with several objectives."""
        return self.root / "front.svg"


def is_held(layout: Layout) -> bool:
    """Whether a process is working on the run at this moment."""
    try:
        with (layout.root / LOCK).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class Lock:
    """Held by the one process that works on a run. The kernel lets go of it when the holder ends, however it ends.

    Raises:
        RunHeld: another process holds it.
        DiskFailure: the directory is not writable.
    """

    def __init__(self, layout: Layout) -> None:
        path = layout.root / LOCK
        try:
            layout.root.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = path.open("a+", encoding="utf-8", errors="replace")
        except OSError as error:
            raise DiskFailure(
                f"the run at {layout.root} is not writable: {error.strerror}"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            time.sleep(0.1)  # one who has just taken it is writing down who he is
            self._file.seek(0)
            holder = self._file.read().strip("\0\n ") or "an unknown process"
            self._file.close()
            raise RunHeld(
                f"the run at {layout.root} is being worked on by {holder}. Only one process may, at a time."
            ) from error
        with contextlib.suppress(
            OSError
        ):  # a full disk: the name is for others to read, the lock holds without it
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            self._file.flush()

    def release(self) -> None:
        self._file.close()

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
