"""The warm parent of the workers: imports the heavy modules once, forks on demand, and leaves none behind.

Run as `python -m evonas.evaluate.local.fork_server FD --preload tensorflow,keras`. It talks with the driver over the SEQPACKET
socket FD, one JSON object a packet:

    fork server -> driver   {"ready": pid, "threads": n}            once; more than one thread: not fit to fork
                        {"failed": words}                       instead: the preload raised
                        {"born": number, "pid": pid}            or {"refused": number, "why": words}
                        {"exit": number, "code": code}          minus the signal, as in `subprocess`
    driver -> fork server   {"spawn": number, "entry": "module:function", "environment": {...}, "log": path} and a socket
                        {"kill": number}

With `log` null, a second descriptor follows the socket: what the worker's output goes to.

It is child subreaper, so that even the daemons of workers come back to it; when the driver's socket closes, it kills
all that it bore. A fork costs 0.03 s where a fresh import of TensorFlow costs 5 s. The import touches nothing of CUDA:
the first call into the driver library is the child's own, after its `CUDA_VISIBLE_DEVICES` is set.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from evonas.evaluate.local import bootstrap

PACKET = 2**18
"""Bytes a packet may have: about the size of the kernel's buffer."""
UNNEEDED = "sklearn"
"""Keras imports it, where it is there, for wrappers that no worker uses: 0.9 s of 5, and 60 MB of a worker."""
FAREWELL = 5.0
"""Seconds that the fork server waits for what it has killed."""
LEAVING = 1.0
"""Seconds that a dead worker's group may take to be gone; after them its exit is told all the same."""


@dataclass(frozen=True)
class _Leaving:
    """A dead worker, whose children have been killed and are not yet gone."""

    pid: int
    number: int
    code: int
    deadline: float

    def is_gone(self) -> bool:
        return group_is_gone(self.pid) or time.monotonic() >= self.deadline


class ForkServer:
    """One process with one thread: waits for orders and for deaths, and does nothing else.

    Args:
        control: the socket to the driver. Its end of file means that the driver is gone.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pid = os.getpid()
        self._alive: dict[int, int] = {}  # pid -> the driver's number
        self._leaving: list[_Leaving] = []
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)  # only the byte in the pipe counts
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        bootstrap.process_control(
            bootstrap.PR_SET_CHILD_SUBREAPER, 1
        )  # daemons of the workers come back to us

    def serve(self) -> None:
        """Until the driver is gone or a SIGTERM comes; then nothing that was born here is left."""
        try:
            self._say(ready=self._pid, threads=count_threads())
            while True:
                sources: list[socket.socket | int] = [self._control, self._wake]
                readable, _, _ = select.select(sources, [], [], 0.01 if self._leaving else None)
                if self._wake in readable and self._is_told_to_end():
                    return
                self._reap()
                if self._control in readable and not self._obey():
                    return
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            self._end_all()

    def _is_told_to_end(self) -> bool:
        numbers = os.read(self._wake, 4096)
        return signal.SIGTERM in numbers or signal.SIGINT in numbers

    def _say(self, **message: Any) -> None:
        self._control.send(json.dumps(message).encode())

    def _obey(self) -> bool:
        """One order; False at the end of file."""
        data, fds, _, _ = socket.recv_fds(self._control, PACKET, 2)
        for fd in fds:
            os.set_inheritable(fd, False)
        if not data:
            return False
        order = json.loads(data)
        if "kill" in order:
            for pid in [pid for pid, number in self._alive.items() if number == order["kill"]]:
                kill_group(pid)
        else:
            self._spawn(order, fds)
        return True

    def _spawn(self, order: Mapping[str, Any], fds: Sequence[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._close(fds)
            self._say(refused=order["spawn"], why=str(error))
            return
        if pid == 0:
            self._become_worker(order, fds)
        self._close(fds)
        self._alive[pid] = order["spawn"]
        self._say(born=order["spawn"], pid=pid)

    @staticmethod
    def _close(fds: Sequence[int]) -> None:
        for fd in fds:
            os.close(fd)

    def _become_worker(self, order: Mapping[str, Any], fds: Sequence[int]) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake)
            os.close(self._wake_write)
            os.setsid()
            bootstrap.die_with_parent(self._pid)
            path = order["log"]
            log = (
                fds[1]
                if path is None
                else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            )
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            os.environ.update(order["environment"])
        except BaseException:  # it must never return into the fork server's loop
            traceback.print_exc()
            os._exit(bootstrap.FAILED)
        bootstrap.run(order["entry"], fds[0])

    def _reap(self) -> None:
        """Bury the dead. A dead worker's group is killed before its number is given back to the kernel.

        Its exit is told when nothing of the group is left, for a child may hold memory of the device too.
        """
        while (dead := next_dead()) is not None:
            kill_group(dead)
            _, status = os.waitpid(dead, 0)
            number = self._alive.pop(dead, None)
            self._kill_orphans()
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                self._leaving.append(_Leaving(dead, number, code, time.monotonic() + LEAVING))
        for leaving in [leaving for leaving in self._leaving if leaving.is_gone()]:
            self._leaving.remove(leaving)
            self._say(exit=leaving.number, code=leaving.code)

    def _kill_orphans(self) -> None:
        """Kill the daemons that a worker has left: our children that belong to no living worker's session."""
        for pid in children(self._pid):
            if pid not in self._alive and session_of(pid) not in self._alive:
                kill_group(pid)

    def _end_all(self) -> None:
        """Kill every descendant. Each death may bring us its children, so it is done until none is left."""
        deadline = time.monotonic() + FAREWELL
        while (left := children(self._pid)) and time.monotonic() < deadline:
            for pid in left:
                kill_group(pid)
            while next_dead() is not None:
                os.waitpid(-1, os.WNOHANG)
            time.sleep(0.002)


def next_dead() -> int | None:
    """A child that has ended and is not yet reaped: its number is still its own."""
    try:
        info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if info is None else info.si_pid


def kill_group(pid: int) -> None:
    """SIGKILL to the group that `pid` leads, and to `pid` itself in case it has not come to lead one yet."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def group_is_gone(pid: int) -> bool:
    """Whether the group that `pid` led has no living member left. Some systems leave the dead unreaped for ever."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    proc = Path("/proc")
    if not proc.is_dir():
        return False
    for stat in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if words[2] == str(pid) and words[0] not in "ZX":
                return False
    return True


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def children(pid: int) -> list[int]:
    """The children of a process with one thread; zombies too."""
    try:
        return [
            int(word)
            for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return []


def count_threads() -> int:
    """How many threads this process has; 0 where the system does not tell."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 0


def preload(modules: Sequence[str]) -> None:
    """Import modules that find no scikit-learn; whoever imports it afterwards finds it."""
    is_hidden = UNNEEDED not in sys.modules
    if is_hidden:
        sys.modules[UNNEEDED] = None  # type: ignore[assignment]
    try:
        for name in modules:
            importlib.import_module(name)
    finally:
        if is_hidden:
            del sys.modules[UNNEEDED]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="evonas.evaluate.local.fork_server")
    parser.add_argument("fd", type=int)
    parser.add_argument("--preload", default="", help="modules to import, joined by commas")
    options = parser.parse_args(arguments)
    with socket.socket(fileno=options.fd) as control:
        control.set_inheritable(False)
        try:
            preload(list(filter(None, options.preload.split(","))))
        except Exception:  # a user's plugin may raise anything; the driver is told
            control.send(json.dumps({"failed": traceback.format_exc()[-8192:]}).encode())
            return bootstrap.FAILED
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, every page
        ForkServer(control).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
