"""How worker processes are started and killed: forked by a fork server, or started afresh.

Each worker has a session of its own, so that Ctrl-C in a terminal reaches the driver only. It ends
when the driver ends, whatever ended the driver.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonas.clock import AwakeClock
from evonas.errors import NoWorker
from evonas.evaluate.local.fork_server import GROUP_LIMIT, PACKET, group_is_gone, kill_group
from evonas.evaluate.local.reaper import KILLED
from evonas.files import not_through_a_link

START_LIMIT = 120.0
"""Seconds that a fork server may take to import its modules."""
FORK_LIMIT = 20.0
"""Seconds that a running fork server may take to fork."""
END_LIMIT = 10.0
"""Seconds that a launcher waits for a process that it has killed."""
LOOK = 0.25
"""Seconds of one wait for the fork server."""
STARTS = 3
"""Tries to start a fork server. One that dies at its start may have been killed for memory."""

# OpenBLAS starts its threads at its import, and a process with several threads cannot be forked
# safely.
ENVIRONMENT: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
"""Variables with which the fork server and every worker start."""

_log = logging.getLogger(__name__)


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


def start_launcher(
    entry: str,
    preload: Sequence[str] = (),
    prefer: Literal["fork_server", "subprocess"] = "fork_server",
) -> Launcher:
    """A fork server if one can be used, otherwise fresh processes.

    Args:
        entry: `module:function` that a worker runs.
        preload: modules that the fork server imports before the first worker.
        prefer: `subprocess` for fresh processes on any system.

    Raises:
        NoWorker: the preload fails, or takes too long.
    """
    if prefer == "fork_server" and sys.platform.startswith("linux"):
        fork_server = ForkServerLauncher(entry, preload)
        # `fork` copies only the thread that calls it. A lock that another thread holds at that
        # moment would stay locked in the worker for ever.
        if fork_server.threads == 1:
            return fork_server
        fork_server.close()
        _log.warning(
            "Workers are started without the fork server: after importing %s it has %d threads, "
            "and only a process with one can be forked safely. "
            "Each worker imports for itself, some seconds each time.",
            ", ".join(preload),
            fork_server.threads,
        )
    return SubprocessLauncher(entry)


class SubprocessLauncher(Launcher):
    """A fresh Python process for each worker.

    A daemon that a worker leaves in another session is not found.
    """

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._environment = python_environment()
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
                process = self._start(environment, log, theirs.fileno())
            except OSError as error:
                ours.close()
                raise NoWorker(f"No worker process can be started: {error}.") from error
        self._processes[self._spawned] = process
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
        if process is not None and _has_ended(process):
            # Before the process is reaped: until then no other group can have its number.
            kill_group(process.pid)
            self._codes[number] = process.wait()
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
        self._processes = {}


class ForkServerLauncher(Launcher):
    """Workers that `evonas.evaluate.local.fork_server` forks.

    The constructor waits until the preload is imported. A fork server that ends is replaced at the
    next `spawn`. Its workers are lost with it, and the reaper, which is the process above it, kills
    all that they have started.

    Args:
        entry: `module:function` that a worker runs.
        preload: modules that the fork server imports before the first worker.
        start_limit: seconds that the import may take.

    Attributes:
        threads: number of threads of the fork server after its preload; 0 if unknown. Only with
            exactly 1 it is fit to fork.

    Raises:
        NoWorker: the fork server cannot be started, its preload fails or takes too long, or it
            dies at each of `STARTS` starts.
    """

    threads: int

    def __init__(
        self, entry: str, preload: Sequence[str] = (), start_limit: float = START_LIMIT
    ) -> None:
        self._entry = entry
        self._preload = tuple(preload)
        self._start_limit = start_limit
        self._environment = python_environment()
        # The reaper. While it is there, so is the fork server, or its end is not noticed yet.
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        # How the fork server ended that was dropped last, in words.
        self._end = ""
        self._alive: set[int] = set()  # numbers
        self._codes: dict[int, int] = {}
        self._lost: set[int] = set()
        self._spawned = 0
        self._start()

    @property
    def pid(self) -> int | None:
        """The fork server's pid; None while there is no fork server."""
        return None if self._process is None else self._pid

    def spawn(self, environment: Mapping[str, str], log: Path | int) -> Handle:
        self._take_in_exits()
        # A fork server may end at any instant, also during the order. A new one gets one try.
        for _ in range(2):
            if self._process is None:
                self._start()
            self._spawned += 1
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    pid = self._order_spawn(self._spawned, environment, log, theirs)
            except BaseException:
                ours.close()
                raise
            if pid is not None:
                self._alive.add(self._spawned)
                return Handle(pid, ours, self._spawned)
            ours.close()
        raise NoWorker(
            "No worker can be started: the fork server, the process that forks the workers, "
            f"died twice in a row before it had forked one; it {self._end}."
        )

    def kill(self, handle: Handle) -> None:
        if handle.number not in self._alive:
            return
        order = json.dumps({"kill": handle.number}).encode()
        try:
            self._control.send(order)
        except OSError:
            self._drop_fork_server()

    def exit_code(self, handle: Handle) -> int | None:
        if handle.number in self._alive:
            self._take_in_exits()
        return self._codes.get(handle.number)

    def is_lost(self, handle: Handle) -> bool:
        return handle.number in self._lost

    def close(self) -> None:
        if self._process is None:
            return
        # At this end of file the fork server kills every process below it, and ends.
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_LIMIT)
        self._drop_fork_server()
        # These workers ended because they were told to.
        self._lost.clear()

    def _start(self) -> None:
        """Start a fork server, and wait for its preload.

        Raises:
            NoWorker: it cannot be started. One that only dies is started again.
        """
        for _ in range(STARTS):
            if self._has_started():
                return
        raise NoWorker(
            "No worker can be started: the fork server, the process that forks the workers, died "
            f"at its start {STARTS} times in a row, while it imported {self._modules}. "
            f"The last time it {self._end}."
        )

    def _has_started(self) -> bool:
        """Start a fork server; False if it died before it was ready."""
        # Packets, because a message must come whole, together with its file descriptors.
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = self._start_process(theirs.fileno())
            except OSError as error:
                self._control.close()
                raise NoWorker(
                    "The fork server, the process that forks the workers, "
                    f"cannot be started: {error}."
                ) from error
        hello = None
        try:
            hello = self._receive(self._start_limit)
        except TimeoutError:
            raise NoWorker(
                "No worker can be started: the fork server, the process that forks the workers, "
                f"did not finish importing {self._modules} within {self._start_limit:g} s."
            ) from None
        # Whatever comes up in between, no half-started process is left.
        finally:
            if hello is None or "ready" not in hello:
                self._drop_fork_server()
        if hello is None:
            return False
        if "failed" in hello:
            raise NoWorker(
                f"No worker can be started: importing {self._modules} failed.\n{hello['failed']}"
            )
        self._pid = int(hello["ready"])
        self.threads = int(hello["threads"])
        return True

    @property
    def _modules(self) -> str:
        return ", ".join(self._preload) or "nothing"

    def _start_process(self, fd: int) -> subprocess.Popen[bytes]:
        modules = ",".join(self._preload)
        return subprocess.Popen(
            python_command("evonas.evaluate.local.reaper", fd, "--preload", modules),
            env=self._environment,
            # The reaper's lifeline: it ends when nobody holds the other end any more.
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[fd],
            start_new_session=True,
        )

    def _order_spawn(
        self, number: int, environment: Mapping[str, str], log: Path | int, theirs: socket.socket
    ) -> int | None:
        """The new worker's pid; None if the fork server ended instead."""
        order = {
            "spawn": number,
            "entry": self._entry,
            "environment": dict(environment),
            "log": None,
        }
        fds = [theirs.fileno()]
        if isinstance(log, Path):
            order["log"] = str(log.absolute())
        else:
            fds.append(log)
        packet = json.dumps(order).encode()
        try:
            self._control.settimeout(FORK_LIMIT)
            socket.send_fds(self._control, [packet], fds)
            # Exits of other workers may come before the answer.
            while (answer := self._receive(FORK_LIMIT)) is not None:
                if answer.get("born") == number:
                    return int(answer["pid"])
                if answer.get("refused") == number:
                    raise NoWorker(f"No worker process can be started: {answer['why']}.")
                self._note_exit(answer)
        except OSError:
            pass
        self._drop_fork_server()
        return None

    def _receive(self, timeout: float) -> dict[str, Any] | None:
        """The next packet; None at the end of file.

        Raises:
            TimeoutError: the time is over.
        """
        # Short waits: a driver that is stopped meanwhile has not waited.
        clock = AwakeClock()
        deadline = clock() + timeout
        self._control.settimeout(LOOK)
        while True:
            try:
                data = self._control.recv(PACKET)
            except TimeoutError:
                if clock() >= deadline:
                    raise
            except ConnectionResetError:
                return None
            else:
                return json.loads(data) if data else None

    def _take_in_exits(self) -> None:
        """Note every exit that the fork server has told of, without waiting."""
        if self._process is None:
            return
        self._control.setblocking(False)
        try:
            while data := self._control.recv(PACKET):
                self._note_exit(json.loads(data))
        except BlockingIOError:
            return
        except ConnectionResetError:
            pass
        # The end of file: the fork server is gone.
        self._drop_fork_server()

    def _note_exit(self, message: Mapping[str, Any]) -> None:
        number = message.get("exit")
        if number in self._alive:
            self._alive.discard(number)
            self._codes[number] = message["code"]

    def _drop_fork_server(self) -> None:
        """End the fork server, if it still runs, and everything below it."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        self._control.close()
        # At this end of file the reaper kills all, also a fork server that is stopped, and ends.
        process.stdin.close()
        try:
            code = process.wait(END_LIMIT)
        # The reaper itself is stopped. The kernel ends fork server and workers with it.
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
            code = process.wait()
        end = describe_end(KILLED - code if code > KILLED else code)
        # Here the words end a sentence.
        self._end = end.removesuffix(",")
        self._process = None
        for number in self._alive:
            self._codes[number] = -signal.SIGKILL
            self._lost.add(number)
        self._alive = set()


def python_environment() -> dict[str, str]:
    """The environment of a new Python process that imports what the driver would import."""
    # The driver's import path: it may have been changed since the driver's start.
    entries = [str(Path(entry).absolute()) for entry in sys.path]
    path = os.pathsep.join(entries)
    return {
        **os.environ,
        **ENVIRONMENT,
        "PYTHONPATH": path,
    }


def python_command(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with this Python."""
    words = [str(argument) for argument in arguments]
    # `-P`: a user's file in the working directory must not hide a module of the same name.
    return [sys.executable, "-P", "-m", module, *words]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """True once a process has ended."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    # Unlike `poll`, this does not reap: the process keeps its number, so its group can be killed.
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, process.pid, flags) is not None
    # It was reaped already, by other code in the driver.
    except ChildProcessError:
        return True


def describe_end(code: int | None) -> str:
    """How a process ended, in words that follow `The worker`.

    Args:
        code: exit code, or minus the signal; None if it could not be ended.
    """
    if code is None:
        return "could not be ended"
    if code >= 0:
        return f"ended with exit code {code}"
    number = -code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = ""
    if number == signal.SIGKILL:
        hint = ", perhaps by the system for want of memory,"
    return f"was killed by {name}{hint}"
