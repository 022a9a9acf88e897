"""Workers that are fresh Python processes: for systems and imports that forbid a fork."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from evonas.clock import AwakeClock
from evonas.errors import NoWorker
from evonas.evaluate.local.fork_server import GROUP_LIMIT, group_is_gone, kill_group
from evonas.evaluate.local.launcher import END_LIMIT, Handle, Launcher
from evonas.evaluate.local.leftovers import kill_marked, new_mark
from evonas.evaluate.local.python_process import has_ended, python_command, python_environment
from evonas.files import not_through_a_link


class SubprocessLauncher(Launcher):
    """A fresh Python process for each worker."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._environment = python_environment()
        # A mark for each worker: its daemons end with it, and those of others go on.
        self._marks: dict[int, dict[str, str]] = {}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        # Of a worker that has ended: its group, and until when the group may take to be gone.
        self._leaving: dict[int, tuple[int, float]] = {}
        self._clock = AwakeClock()
        self._codes: dict[int, int] = {}
        self._spawned = 0

    def spawn(self, environment: Mapping[str, str], log: Path | int) -> Handle:
        self._spawned += 1
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                mark = new_mark()
                process = self._start({**environment, **mark}, log, theirs.fileno())
            except OSError as error:
                ours.close()
                raise NoWorker(f"No worker process can be started: {error}.") from error
        self._processes[self._spawned] = process
        self._marks[self._spawned] = mark
        return Handle(process.pid, ours, self._spawned)

    def _start(
        self, environment: Mapping[str, str], log: Path | int, fd: int
    ) -> subprocess.Popen[bytes]:
        """Start a process with its end of the socket at `fd`, and its output to the log."""
        module = "evonas.evaluate.local.bootstrap"
        command = python_command(module, fd, os.getpid(), self._entry)
        # A descriptor is the caller's, and stays open.
        opener = not_through_a_link if isinstance(log, Path) else None
        with open(log, "ab", closefd=isinstance(log, Path), opener=opener) as output:
            return subprocess.Popen(
                command,
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[fd],
                start_new_session=True,
            )

    def kill(self, handle: Handle) -> None:
        process = self._processes.get(handle.number)
        if process is not None:
            kill_group(process.pid)

    def exit_code(self, handle: Handle) -> int | None:
        number = handle.number
        process = self._processes.get(number)
        if process is not None and has_ended(process):
            # Before the process is reaped: until then no other group can have its number.
            kill_group(process.pid)
            self._codes[number] = process.wait()
            kill_marked(self._marks.pop(number))
            deadline = self._clock() + GROUP_LIMIT
            self._leaving[number] = (process.pid, deadline)
            del self._processes[number]
        if number in self._leaving:
            group, deadline = self._leaving[number]
            if not group_is_gone(group) and self._clock() < deadline:
                return None
            del self._leaving[number]
        return self._codes.get(number)

    def close(self) -> None:
        self._leaving = {}
        # All are killed before one is waited for: so they end at the same time.
        for process in self._processes.values():
            kill_group(process.pid)
        for number, process in self._processes.items():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._codes[number] = process.wait(END_LIMIT)
            kill_marked(self._marks.pop(number))
        self._processes = {}
