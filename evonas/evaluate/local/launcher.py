"""How worker processes are born and killed: forked by a warm fork server, or started afresh.

Workers live in sessions of their own, so that Ctrl-C in a terminal hits the driver only, and end when the driver ends,
however it ends.
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
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonas.errors import NoWorker
from evonas.evaluate.local.fork_server import LEAVING, PACKET, group_is_gone, kill_group

START_LIMIT = 120.0
"""Seconds that a fork server may take to import its modules."""
BIRTH_LIMIT = 20.0
"""Seconds that a running fork server may take to fork."""
END_LIMIT = 10.0
"""Seconds that a launcher waits for what it has killed."""

ENVIRONMENT: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
"""What every worker process starts with: OpenBLAS then starts no thread at its import, so that the process can fork."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Handle:
    """A worker process.

    Attributes:
        pid: of the process, which leads a group and a session of the same number.
        socket: the driver's end of the connection; who spawned the worker closes it.
        number: the launcher's own number for it; never used twice, as a pid may be.
    """

    pid: int
    socket: socket.socket
    number: int


class Launcher(ABC):
    """Starts worker processes and kills them. Owned by one thread.

    A worker runs `module:function` with the file descriptor of its end of a stream socket. Its standard input is empty,
    its output goes to a file or a pipe. Its environment is that of the driver when the launcher was made, and what
    `spawn` adds.
    """

    @abstractmethod
    def spawn(self, environment: Mapping[str, str], log: Path | int) -> Handle:
        """Start a worker.

        Args:
            log: where its output is appended; or an open file descriptor for it, which stays the caller's.

        Raises:
            NoWorker: the process cannot be started.
        """

    @abstractmethod
    def kill(self, handle: Handle) -> None:
        """SIGKILL to the worker and its whole process group; nothing where it has ended already."""

    @abstractmethod
    def exit_code(self, handle: Handle) -> int | None:
        """How the worker ended: its exit code, or minus the signal. Never waits.

        None while it lives, and for at most a second more while its group does: its children are killed with it.
        """

    def is_lost(self, handle: Handle) -> bool:
        """True where the worker ended because what had launched it did."""
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
    """A fork server where one can be had (Linux, and one thread after the preload), else fresh processes.

    Args:
        entry: `module:function` that a worker runs.
        preload: modules that the fork server imports before the first worker.
        prefer: `subprocess` for fresh processes whatever the system.

    Raises:
        NoWorker: the preload fails, or takes too long.
    """
    if prefer == "fork_server" and sys.platform.startswith("linux"):
        fork_server = ForkServerLauncher(entry, preload)
        if fork_server.threads == 1:
            return fork_server
        fork_server.close()
        _log.warning(
            "Workers are started without the fork server: after importing %s it has %d threads, and only a process with one"
            " can be forked safely. Each worker imports for itself, some seconds each time.",
            ", ".join(preload),
            fork_server.threads,
        )
    return SubprocessLauncher(entry)


class SubprocessLauncher(Launcher):
    """A fresh Python process for each worker. Daemons that a worker leaves in a session of their own are not found."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._environment = python_environment()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._leaving: dict[
            int, tuple[int, float]
        ] = {}  # number -> the dead worker's group, and until when it may take
        self._codes: dict[int, int] = {}
        self._born = 0

    def spawn(self, environment: Mapping[str, str], log: Path | int) -> Handle:
        self._born += 1
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                with open(log, "ab", closefd=isinstance(log, Path)) as output:
                    process = subprocess.Popen(
                        python_command(
                            "evonas.evaluate.local.bootstrap",
                            theirs.fileno(),
                            os.getpid(),
                            self._entry,
                        ),
                        env={**self._environment, **environment},
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        pass_fds=[theirs.fileno()],
                        start_new_session=True,
                    )
            except OSError as error:
                ours.close()
                raise NoWorker(f"No worker process can be started: {error}.") from error
        self._processes[self._born] = process
        return Handle(process.pid, ours, self._born)

    def kill(self, handle: Handle) -> None:
        process = self._processes.get(handle.number)
        if process is not None:
            kill_group(process.pid)

    def exit_code(self, handle: Handle) -> int | None:
        process = self._processes.get(handle.number)
        if process is not None and _has_ended(process):
            kill_group(
                process.pid
            )  # before it is reaped: until then the group's number cannot be another's
            self._codes[handle.number] = process.wait()
            self._leaving[handle.number] = process.pid, time.monotonic() + LEAVING
            del self._processes[handle.number]
        if handle.number in self._leaving:
            group, deadline = self._leaving[handle.number]
            if not group_is_gone(group) and time.monotonic() < deadline:
                return None
            del self._leaving[handle.number]
        return self._codes.get(handle.number)

    def close(self) -> None:
        self._leaving = {}
        for process in self._processes.values():
            kill_group(process.pid)
        for number, process in self._processes.items():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._codes[number] = process.wait(END_LIMIT)
        self._processes = {}


class ForkServerLauncher(Launcher):
    """Workers forked by `evonas.evaluate.local.fork_server`. A fork server that dies is replaced at the next `spawn`.

    Making one waits until the preload is imported.

    Attributes:
        threads: that the fork server had after the preload; 0 where unknown. It is fit to fork with exactly 1.
    """

    threads: int

    def __init__(
        self, entry: str, preload: Sequence[str] = (), start_limit: float = START_LIMIT
    ) -> None:
        self._entry = entry
        self._preload = tuple(preload)
        self._start_limit = start_limit
        self._environment = python_environment()
        self._process: subprocess.Popen[bytes] | None = None
        self._alive: dict[int, int] = {}  # number -> pid
        self._codes: dict[int, int] = {}
        self._lost: set[int] = set()
        self._born = 0
        self._start()

    @property
    def pid(self) -> int | None:
        """Of the fork server; None while there is none."""
        return None if self._process is None else self._process.pid

    def spawn(self, environment: Mapping[str, str], log: Path | int) -> Handle:
        self._hear()
        for _ in range(2):  # a fork server may die at any instant; its successor gets one try
            if self._process is None:
                self._start()
            self._born += 1
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    pid = self._order_birth(self._born, environment, log, theirs)
            except BaseException:
                ours.close()
                raise
            if pid is not None:
                self._alive[self._born] = pid
                return Handle(pid, ours, self._born)
            ours.close()
        raise NoWorker(
            "No worker can be started: the fork server, the process that forks the workers, died twice in a row."
        )

    def kill(self, handle: Handle) -> None:
        if handle.number in self._alive:
            try:
                self._control.send(json.dumps({"kill": handle.number}).encode())
            except OSError:
                self._fork_server_is_gone()

    def exit_code(self, handle: Handle) -> int | None:
        if handle.number in self._alive:
            self._hear()
        return self._codes.get(handle.number)

    def is_lost(self, handle: Handle) -> bool:
        return handle.number in self._lost

    def close(self) -> None:
        if self._process is None:
            return
        self._control.close()  # the fork server kills what it bore and ends
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_LIMIT)
        self._fork_server_is_gone()
        self._lost.clear()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            preload = ["--preload", ",".join(self._preload)]
            try:
                self._process = subprocess.Popen(
                    python_command("evonas.evaluate.local.fork_server", theirs.fileno(), *preload),
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                raise NoWorker(
                    f"The fork server, the process that forks the workers, cannot be started: {error}."
                ) from error
        try:
            hello = self._receive(self._start_limit)
            if hello is None or "ready" not in hello:
                raise NoWorker(self._why_not(hello))
        except BaseException:
            self._fork_server_is_gone()
            raise
        self.threads = int(hello["threads"])

    def _why_not(self, hello: Mapping[str, Any] | None) -> str:
        modules = ", ".join(self._preload) or "nothing"
        if hello is not None and "failed" in hello:
            return f"No worker can be started: importing {modules} failed.\n{hello['failed']}"
        what = f"did not finish importing {modules} within {self._start_limit:g} s, or died of it"
        return f"No worker can be started: the fork server, the process that forks the workers, {what}."

    def _order_birth(
        self, number: int, environment: Mapping[str, str], log: Path | int, theirs: socket.socket
    ) -> int | None:
        """The new worker's pid; None where the fork server died instead."""
        path = str(log.absolute()) if isinstance(log, Path) else None
        fds = [theirs.fileno()] if isinstance(log, Path) else [theirs.fileno(), log]
        order = {
            "spawn": number,
            "entry": self._entry,
            "environment": dict(environment),
            "log": path,
        }
        try:
            self._control.settimeout(BIRTH_LIMIT)
            socket.send_fds(self._control, [json.dumps(order).encode()], fds)
            while (answer := self._receive(BIRTH_LIMIT)) is not None:
                if answer.get("born") == number:
                    return int(answer["pid"])
                if answer.get("refused") == number:
                    raise NoWorker(f"No worker process can be started: {answer['why']}.")
                self._note_exit(answer)
        except OSError:
            pass
        self._fork_server_is_gone()
        return None

    def _receive(self, timeout: float) -> dict[str, Any] | None:
        """The next packet; None at the end of file or when the time is over."""
        self._control.settimeout(timeout)
        try:
            data = self._control.recv(PACKET)
        except OSError:
            return None
        return json.loads(data) if data else None

    def _hear(self) -> None:
        """Take in every exit that has been told, without waiting."""
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
        self._fork_server_is_gone()

    def _note_exit(self, message: Mapping[str, Any]) -> None:
        number = message.get("exit")
        if self._alive.pop(number, None) is not None:  # type: ignore[arg-type]
            self._codes[number] = message["code"]  # type: ignore[index]

    def _fork_server_is_gone(self) -> None:
        """The kernel kills the workers of a dead fork server; their groups are killed from here."""
        assert self._process is not None
        self._control.close()
        if self._process.returncode is None:  # once reaped, its number may be another's
            kill_group(self._process.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_LIMIT)
        self._process = None
        for number, pid in self._alive.items():
            if _leads_its_session(pid):
                kill_group(pid)
            self._codes[number] = -signal.SIGKILL
            self._lost.add(number)
        self._alive = {}


def python_environment() -> dict[str, str]:
    """The driver's environment, with the driver's own import path, so that a worker imports what the driver would."""
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": path}


def python_command(module: str, *arguments: object) -> list[str]:
    """This Python on a module. `-P`: a user's file beside the run must not hide a module of that name."""
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """True once it has ended; without reaping it where the system allows to look first."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, process.pid, flags) is not None
    except ChildProcessError:  # someone else has reaped it
        return True


def _leads_its_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False
