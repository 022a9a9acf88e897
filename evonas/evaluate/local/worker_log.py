"""The log of a slot's workers: their output comes over a pipe, so the log stays small.

A worker that wrote to the file itself could fill the disk within seconds. To empty a file takes
longer than a process needs to fill it. A pipe makes such a worker wait instead.
"""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path

from evonas.files import failure, not_through_a_link

SIZE_LIMIT = 10 * 2**20
"""Bytes of a log. At this size it is moved to `<name>.1`, and replaces the one moved before."""
TAIL_LINES = 40
TAIL_BYTES = 8 * 2**10
PIPE = 2**20
"""Bytes that a worker may print between two calls of `drain` before it waits, if possible."""
READS = 4
"""Reads of one `drain`, each of at most one full pipe.

A worker that never stops must not keep the driver from the others.
"""
LAST_READS = 16
"""The same when the worker is gone: then only a process that it has left behind can still print."""


class WorkerLog:
    """One slot's log. One worker after the other writes to its pipe.

    Args:
        path: file of the log; missing folders are made.
        size_limit: in bytes.
    """

    def __init__(self, path: Path, size_limit: int = SIZE_LIMIT) -> None:
        self.path = path
        self._size_limit = size_limit
        self._recent = b""
        self._pipe: int | None = None

    def open(self) -> int:
        """Open the pipe of a new worker.

        Returns:
            the file descriptor for the worker's output. The caller closes its copy as soon as the
            worker has the descriptor.
        """
        self.close()
        self._pipe, theirs = os.pipe()
        os.set_blocking(self._pipe, False)
        if sys.platform == "linux":
            # The system limits what a user's pipes may take. A smaller pipe works too.
            with suppress(OSError):
                fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, PIPE)
        return theirs

    def begin(self) -> None:
        """Begin the tail of a new job.

        Raises:
            EvonasError: the log cannot be written.
        """
        # What was printed before still belongs to the job before.
        self.drain()
        self._recent = b""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab", opener=not_through_a_link):
                pass
        except OSError as error:
            raise failure(error, f"The log {self.path} cannot be written") from error

    def drain(self, reads: int = READS) -> None:
        """Read what has been printed, and append it to the log. Never waits.

        Args:
            reads: number of reads at most.
        """
        for _ in range(reads):
            if self._pipe is None:
                return
            try:
                data = os.read(self._pipe, PIPE)
            # Nothing has been printed since the last read.
            except OSError:
                return
            if not data:
                return
            recent = self._recent + data
            self._recent = recent[-TAIL_BYTES:]
            self._write(data)

    def _write(self, data: bytes) -> None:
        # What cannot be written is given up. The tail does not need the file.
        with suppress(OSError):
            if self.path.exists():
                size = self.path.stat().st_size + len(data)
                if size > self._size_limit:
                    aside = self.path.with_name(f"{self.path.name}.1")
                    self.path.replace(aside)
            with open(self.path, "ab", opener=not_through_a_link) as file:
                file.write(data[-self._size_limit :])

    def tail(self) -> str:
        """The last lines of the job, at most 40 and 8 KiB; also if they could not be written."""
        self.drain(LAST_READS)
        lines = self._recent.decode(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def close(self) -> None:
        """Read the last output of a worker that is gone, or given up. Idempotent."""
        if self._pipe is not None:
            self.drain(LAST_READS)
            os.close(self._pipe)
            self._pipe = None
