"""The log of a slot's workers: what they print comes over a pipe, and whatever it is, the log stays small.

A worker that wrote to the file itself could fill the disk within seconds: emptying a file under the feet of a process
that writes without pause takes longer than filling it. A pipe makes such a worker wait instead.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from evonas.errors import DiskFailure

SIZE_LIMIT = 10 * 2**20
"""Bytes that a log has at most; then it is moved aside, to `<name>.1`, and the one moved aside before is lost."""
TAIL_LINES = 40
TAIL_BYTES = 8 * 2**10
PIPE = 2**20
"""Bytes that a worker may print between two calls of `drain` without having to wait, where the system allows it."""
READS = 4
"""Of a `drain`, each of a pipe full at most: a worker that never stops must not keep the driver from the others."""
LAST_READS = 16
"""The same when the worker is gone: then only a process that it has left behind can still print."""


class WorkerLog:
    """One slot's log. Its pipe has one worker after the other at its end.

    Args:
        path: of the log; missing folders are made.
        size_limit: in bytes.
    """

    def __init__(self, path: Path, size_limit: int = SIZE_LIMIT) -> None:
        self.path = path
        self._size_limit = size_limit
        self._recent = b""
        self._pipe: int | None = None

    def open(self) -> int:
        """A worker begins: the file descriptor for what it prints, to be closed here once the worker has it."""
        self.close()
        self._pipe, theirs = os.pipe()
        os.set_blocking(self._pipe, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):
                fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, PIPE)
        return theirs

    def begin(self) -> None:
        """A job begins: what comes from here on is its own.

        Raises:
            DiskFailure: the log cannot be written.
        """
        self.drain()
        self._recent = b""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
        except OSError as error:
            raise DiskFailure(
                f"The log {self.path} cannot be written: {error.strerror or error}."
            ) from error

    def drain(self, reads: int = READS) -> None:
        """Take in what has been printed. Never waits; what cannot be written is given up."""
        for _ in range(reads):
            try:
                data = b"" if self._pipe is None else os.read(self._pipe, PIPE)
            except OSError:  # nothing now
                return
            if not data:
                return
            self._recent = (self._recent + data)[-TAIL_BYTES:]
            self._write(data)

    def _write(self, data: bytes) -> None:
        with suppress(OSError):
            if self.path.exists() and self.path.stat().st_size + len(data) > self._size_limit:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            with self.path.open("ab") as file:
                file.write(data[-self._size_limit :])

    def tail(self) -> str:
        """The task's last lines, at most 40 and 8 KiB; also where the disk has no room for them."""
        self.drain(LAST_READS)
        return "\n".join(self._recent.decode(errors="replace").splitlines()[-TAIL_LINES:])

    def close(self) -> None:
        """The worker is gone, or given up. Idempotent."""
        if self._pipe is not None:
            self.drain(LAST_READS)
            os.close(self._pipe)
            self._pipe = None
