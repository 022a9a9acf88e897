"""What starts worker processes and kills them: the contract of all launchers.

Each worker has a session of its own, so that Ctrl-C in a terminal reaches the driver only. It ends
when the driver ends, whatever ended the driver.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

END_LIMIT = 10.0
"""Seconds that a launcher waits for a process that it has killed."""


@dataclass(frozen=True, eq=False)
class Handle:
    """A worker process.

    Attributes:
        pid: number of the process, and of the group and the session that it leads.
        socket: the driver's end of the connection; the caller of `spawn` closes it.
        number: the launcher's own number of the worker. Unlike a pid it is never used twice.
    """

    pid: int
    socket: socket.socket
    number: int


class Launcher(ABC):
    """Starts worker processes and kills them. Owned by one thread.

    A worker calls `module:function` with the file descriptor of its end of a stream socket. Its
    standard input is empty, its output goes to a file or a pipe. Its environment is the driver's
    at the time when the launcher was made, with the variables that `spawn` adds.
    """

    @abstractmethod
    def spawn(self, environment: Mapping[str, str], log: Path | int) -> Handle:
        """Start a worker.

        Args:
            environment: variables that the worker gets besides the launcher's.
            log: file to which the worker's output is appended; or an open file descriptor, which
                the caller closes.

        Raises:
            NoWorker: the process cannot be started.
        """

    @abstractmethod
    def kill(self, handle: Handle) -> None:
        """SIGKILL to the worker and its process group; nothing happens if it has ended already."""

    @abstractmethod
    def exit_code(self, handle: Handle) -> int | None:
        """How the worker ended: its exit code, or minus the signal. Never waits.

        Returns:
            None while the worker runs, and for at most a second more while its group ends.
        """

    def is_lost(self, handle: Handle) -> bool:
        """True if the worker ended because the process that had forked it ended."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Kill every worker that is left, and the launcher's own processes. Idempotent."""

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
