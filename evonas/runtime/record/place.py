"""Whether a run's folder is still where it was when the run was opened."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from evonas.errors import UserError
from evonas.invocation import command


class Place:
    """Watches the folder of an open record.

    SQLite goes on writing to a file that is deleted or renamed, and a worker makes a missing folder
    anew. So nobody would notice, and all that is written would be lost.

    Args:
        record: path of the record, which exists.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self._root = record.parent
        self._opened = _identity(record)
        # An open folder can be found again under its new name.
        self._folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)

    def check(self) -> None:
        """See whether the record is the one that was opened.

        Raises:
            UserError: the record, or the folder with it, was removed, renamed or replaced.
        """
        with suppress(OSError):
            if _identity(self._record) == self._opened:
                return
        raise UserError(self._what_happened())

    def close(self) -> None:
        """Idempotent."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def _what_happened(self) -> str:
        """Where the record is now, in words."""
        while_working = "while a session worked on the run"
        now = self._renamed_to()
        if now is not None:
            again = command("resume", now)
            return (
                f"the folder {self._root} was renamed to {now} {while_working}."
                f" Nothing that is recorded is lost. To go on:  {again}"
            )
        if self._record.exists():
            return (
                f"another record was put in the place of {self._record} {while_working}, and what"
                " that session has recorded is no longer there."
            )
        gone = self._record if self._root.is_dir() else f"the folder {self._root}"
        return f"{gone} was removed {while_working}, and all that was recorded with it."

    def _renamed_to(self) -> Path | None:
        """The folder that has the record now, if the system can tell and it is another one."""
        with suppress(OSError):
            now = Path(f"/proc/self/fd/{self._folder}").readlink()
            if _identity(now / self._record.name) == self._opened:
                return now
        return None


def _identity(path: Path) -> tuple[int, int]:
    """What a file keeps when it is renamed, and no other file of the machine has.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return status.st_dev, status.st_ino
