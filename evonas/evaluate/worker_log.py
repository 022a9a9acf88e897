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
KEPT = 64 * 2**10
"""Last bytes that are kept, in `<name>.1`, of a log that grows beyond its limit within one task."""


class WorkerLog:
    """One slot's log. Only the worker writes it, and appends: so it can be emptied under its feet.

    It is moved aside between tasks, while nothing is written. Within a task it is cut, again and again: a worker that
    prints without end fills the disk by no more than what it writes between two calls of `trim`.

    Args:
        path: of the log; missing folders are made.
        size_limit: in bytes.
    """

    def __init__(self, path: Path, size_limit: int = SIZE_LIMIT) -> None:
        self.path = path
        self._size_limit = size_limit
        self._start = 0
        self._is_cut = False

    def begin(self) -> None:
        """A task begins: what comes from here on is its own.

        A worker that lives on has the file open, so the file is copied and emptied, never renamed.

        Raises:
            DiskFailure: the log cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            self._start = self.path.stat().st_size
            self._is_cut = False
            if self._start > self._size_limit:
                shutil.copyfile(self.path, self._aside)
                os.truncate(self.path, 0)
                self._start = 0
        except OSError as error:
            raise DiskFailure(f"The log {self.path} cannot be written: {error.strerror or error}.") from error

    def trim(self) -> None:
        """Where the log has grown beyond its limit while the task runs, keep its end only; what cannot be, is not."""
        try:
            if self.path.stat().st_size <= self._size_limit:
                return
            end = _end(self.path, 0, KEPT)
            os.truncate(self.path, 0)  # first, for it makes the room for what follows
            self._start, self._is_cut = 0, True
            self._aside.write_bytes(end)
        except OSError:
            return

    def tail(self) -> str:
        """The task's last lines, at most 40 and 8 KiB; empty where there are none, or the file is gone."""
        data = b""
        try:
            data = _end(self.path, self._start, TAIL_BYTES)
            if self._is_cut:
                data = (_end(self._aside, 0, TAIL_BYTES) + data)[-TAIL_BYTES:]
        except OSError:
            pass
        return "\n".join(data.decode(errors="replace").splitlines()[-TAIL_LINES:])

    @property
    def _aside(self) -> Path:
        return self.path.with_name(f"{self.path.name}.1")


def _end(path: Path, start: int, size: int) -> bytes:
    """The last bytes of a file, none of them before `start`."""
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(min(start, length), length - size))
        return file.read(size)
