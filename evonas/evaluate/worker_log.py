"""The log file of a slot's workers: kept from growing without end, and its last lines for the record."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from evonas.errors import DiskFailure

SIZE_LIMIT = 10 * 2**20
"""Bytes at which a log is moved aside, to `<name>.1`; the one moved aside before is lost."""
TAIL_LINES = 40
TAIL_BYTES = 8 * 2**10


class WorkerLog:
    """One slot's log. Only the worker writes it; it is moved aside between tasks, while nothing is written.

    Args:
        path: of the log; missing folders are made.
        size_limit: in bytes.
    """

    def __init__(self, path: Path, size_limit: int = SIZE_LIMIT) -> None:
        self.path = path
        self._size_limit = size_limit
        self._start = 0

    def begin(self) -> None:
        """A task begins: what comes from here on is its own.

        A worker that lives on has the file open for appending, so the file is copied and emptied, never renamed.

        Raises:
            DiskFailure: the log cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            self._start = self.path.stat().st_size
            if self._start > self._size_limit:
                shutil.copyfile(self.path, self.path.with_name(f"{self.path.name}.1"))
                os.truncate(self.path, 0)
                self._start = 0
        except OSError as error:
            raise DiskFailure(f"The log {self.path} cannot be written: {error.strerror or error}.") from error

    def tail(self) -> str:
        """The task's last lines, at most 40 and 8 KiB; empty where there are none, or the file is gone."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(min(self._start, size), size - TAIL_BYTES))
                data = file.read(TAIL_BYTES)
        except OSError:
            return ""
        return "\n".join(data.decode(errors="replace").splitlines()[-TAIL_LINES:])
