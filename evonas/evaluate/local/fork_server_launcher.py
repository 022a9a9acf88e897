"""Workers that the fork server forks: the driver's side of it and of its reaper."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.clock import AwakeClock
from evonas.errors import NoWorker
from evonas.evaluate.local.fork_server import PACKET, kill_group
from evonas.evaluate.local.launcher import END_LIMIT, Handle, Launcher
from evonas.evaluate.local.leftovers import kill_marked, new_mark
from evonas.evaluate.local.python_process import describe_end, python_command, python_environment
from evonas.evaluate.local.reaper import KILLED

START_LIMIT = 120.0
"""Seconds that a fork server may take to import its modules."""
FORK_LIMIT = 20.0
"""Seconds that a running fork server may take to fork."""
LOOK = 0.25
"""Seconds of one wait for the fork server."""
STARTS = 3
"""Tries to start a fork server. One that dies at its start may have been killed for memory."""


class ForkServerLauncher(Launcher):
    """Workers that `evonas.evaluate.local.fork_server` forks.

    The constructor waits until the preload is imported, unless it is told not to. A fork server
    that ends is replaced at the next `spawn`. Its workers are lost with it, and the reaper, which
    is the process above it, kills all that they have started.

    Args:
        entry: `module:function` that a worker runs.
        preload: modules that the fork server imports before the first worker.
        start_limit: seconds that the import may take.
        waits: False to import while the caller does something else; `wait` comes before the first
            `spawn` then.

    Attributes:
        threads: number of threads of the fork server after its preload; 0 if unknown. Only with
            exactly 1 it is fit to fork.

    Raises:
        NoWorker: the fork server cannot be started, its preload fails or takes too long, or it
            dies at each of `STARTS` starts.
    """

    threads: int

    def __init__(
        self,
        entry: str,
        preload: Sequence[str] = (),
        start_limit: float = START_LIMIT,
        waits: bool = True,
    ) -> None:
        self._entry = entry
        self._preload = tuple(preload)
        self._start_limit = start_limit
        self._environment = python_environment()
        self._mark: dict[str, str] = {}
        # The reaper. While it is there, so is the fork server, or its end is not noticed yet.
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        # How the fork server ended that was dropped last, in words.
        self._end = ""
        self._alive: set[int] = set()  # numbers
        self._codes: dict[int, int] = {}
        self._lost: set[int] = set()
        self._spawned = 0
        if waits:
            self._start()
        else:
            self._begin()

    def wait(self) -> None:
        """Wait for the preload of a launcher that was made without waiting.

        Raises:
            NoWorker: as the constructor.
        """
        if not self._has_become_ready():
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
        self._begin()
        return self._has_become_ready()

    def _begin(self) -> None:
        """Start a fork server, which then imports its preload."""
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

    def _has_become_ready(self) -> bool:
        """Wait for the preload of the fork server that was begun; False if it died before that."""
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
        self._mark = new_mark()
        return subprocess.Popen(
            python_command("evonas.evaluate.local.reaper", fd, "--preload", modules),
            env={**self._environment, **self._mark},
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
        """Read the messages of the fork server about workers that have ended; never waits."""
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
        code = _end_of(process)
        # A network, or somebody else, has killed it before it could kill what is below it.
        if code < 0:
            kill_marked(self._mark)
        end = describe_end(KILLED - code if code > KILLED else code)
        # Here the words end a sentence.
        self._end = end.removesuffix(",")
        self._process = None
        for number in self._alive:
            self._codes[number] = -signal.SIGKILL
            self._lost.add(number)
        self._alive = set()


def _end_of(reaper: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a reaper that was told to end; returns its exit code."""
    clock = AwakeClock()
    deadline = clock() + END_LIMIT
    while clock() < deadline:
        # A network may have stopped it, and may do so again.
        reaper.send_signal(signal.SIGCONT)
        try:
            return reaper.wait(LOOK)
        except subprocess.TimeoutExpired:
            continue
    kill_group(reaper.pid)
    return reaper.wait()
