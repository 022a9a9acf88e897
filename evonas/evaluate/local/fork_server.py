"""The fork server: imports the heavy modules once, forks workers on demand, leaves none behind.

Run as `python -m evonas.evaluate.local.fork_server FD --preload tensorflow,keras`, or forked by the
reaper (`reaper.py`) with the same arguments. FD is a SEQPACKET socket to the driver. Each packet is
one JSON object:

    fork server -> driver
        {"ready": pid, "threads": n}        once, at the start; it is fit to fork if n is 1
        {"failed": words}                   instead of `ready`: the preload raised
        {"born": number, "pid": pid}        the worker was forked
        {"refused": number, "why": words}   instead of `born`: the system refused the fork
        {"exit": number, "code": code}      the worker has ended; a signal is negative
    driver -> fork server
        {"spawn": number, "entry": "module:function", "environment": {...}, "log": path}
        {"kill": number}

The worker's socket comes with `spawn`, as a file descriptor. If `log` is null, a second one
follows, to which the worker's output goes.

A fork takes 0.03 s, a fresh import of TensorFlow 5 s. The import does not touch CUDA: the first
call into the driver library is the worker's own, after its `CUDA_VISIBLE_DEVICES` is set.
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

from evonas.clock import AwakeClock
from evonas.evaluate.local import bootstrap
from evonas.files import not_through_a_link

PACKET = 2**18
"""Bytes that a packet may have: about the size of the kernel's buffer."""
UNNEEDED = "sklearn"
"""Keras imports it for wrappers that no worker uses: 0.9 s of 5 s, and 60 MB of each worker."""
END_ALL_LIMIT = 5.0
"""Seconds that a process waits at its own end for the processes that it has killed."""
GROUP_LIMIT = 1.0
"""Seconds that the group of an ended worker may take to be gone. Then the exit is told anyway."""
GROUP_LOOK = 0.01
"""Seconds between two looks at such a group."""
FAILURE_LENGTH = 8192
"""Characters of a preload's traceback that the driver is told: its end."""

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class _Ended:
    """A worker that has ended. Its group has been killed and may not be gone yet.

    Attributes:
        deadline: on the fork server's clock; then the exit is told whatever is left of the group.
    """

    pid: int
    number: int
    code: int
    deadline: float

    def is_gone(self, now: float) -> bool:
        return group_is_gone(self.pid) or now >= self.deadline


class ForkServer:
    """One process with one thread. It waits for orders and for the ends of workers.

    Args:
        control: the socket to the driver. Its end of file means that the driver is gone.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pid = os.getpid()
        self._clock = AwakeClock()
        self._alive: dict[int, int] = {}  # pid -> the driver's number
        self._ended: list[_Ended] = []
        self._wake, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # The handlers do nothing: what counts is the byte that Python writes into the pipe, and it
        # writes one only for a signal that has a handler in Python. So `select` wakes up for a
        # signal, even for one that comes just before `select` begins.
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # A daemon whose worker ends becomes a child of this process, which can then kill it.
        bootstrap.process_control(bootstrap.PR_SET_CHILD_SUBREAPER, 1)

    def serve(self) -> None:
        """Work until the driver is gone or a SIGTERM comes, then end every process below this."""
        try:
            self._say(ready=self._pid, threads=count_threads())
            while True:
                sources: list[socket.socket | int] = [self._control, self._wake]
                # No signal tells when the last process of a group is gone: its parent may be
                # another process. So while such a group is awaited, the wait is short.
                timeout = GROUP_LOOK if self._ended else None
                readable, _, _ = select.select(sources, [], [], timeout)
                if self._wake in readable and self._is_told_to_end():
                    return
                self._reap()
                if self._control in readable and not self._obey():
                    return
        # The driver is gone, and `_say` was the first to see it.
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            end_all_below(self._pid)

    def _is_told_to_end(self) -> bool:
        """Empty the pipe of signals; True if one of them asks for the end."""
        numbers = os.read(self._wake, 4096)
        return signal.SIGTERM in numbers or signal.SIGINT in numbers

    def _say(self, **message: Any) -> None:
        packet = json.dumps(message).encode()
        self._control.send(packet)

    def _obey(self) -> bool:
        """Carry out one order; False at the end of file."""
        data, fds, _, _ = socket.recv_fds(self._control, PACKET, 2)
        # Descriptors that were received are inheritable. A program that a worker starts must not
        # hold the socket open: the driver would not see the worker's end.
        for fd in fds:
            os.set_inheritable(fd, False)
        if not data:
            return False
        order = json.loads(data)
        if "kill" in order:
            self._kill(order["kill"])
        else:
            self._spawn(order, fds)
        return True

    def _kill(self, killed: int) -> None:
        # A worker that was reaped is not in the table, so its pid, which may belong to another
        # process by now, is never used.
        for pid, number in self._alive.items():
            if number == killed:
                kill_group(pid)

    def _spawn(self, order: Mapping[str, Any], fds: Sequence[int]) -> None:
        number = order["spawn"]
        try:
            pid = os.fork()
        except OSError as error:
            self._close(fds)
            self._say(refused=number, why=str(error))
            return
        if pid == 0:
            self._become_worker(order, fds)
        self._close(fds)
        self._alive[pid] = number
        self._say(born=number, pid=pid)

    @staticmethod
    def _close(fds: Sequence[int]) -> None:
        for fd in fds:
            os.close(fd)

    def _become_worker(self, order: Mapping[str, Any], fds: Sequence[int]) -> NoReturn:
        """Turn the forked child into a worker. It never returns into the fork server's loop."""
        try:
            self._let_go_of_the_fork_server()
            # A session and a group of the worker's own: one signal ends all that it has started,
            # and Ctrl-C in a terminal does not reach it.
            os.setsid()
            bootstrap.die_with_parent(self._pid)
            path = order["log"]
            if path is None:
                log = fds[1]
            else:
                log = not_through_a_link(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            os.environ.update(order["environment"])
        except BaseException:
            traceback.print_exc()
            os._exit(bootstrap.FAILED)
        bootstrap.run(order["entry"], fds[0])

    def _let_go_of_the_fork_server(self) -> None:
        """Give up its signal handlers and descriptors, which a forked child has inherited."""
        # First, since a signal would otherwise write into the pipe that parent and child share.
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        self._control.close()
        os.close(self._wake)
        os.close(self._wake_write)

    def _reap(self) -> None:
        """Take in the children that have ended."""
        while (pid := next_ended()) is not None:
            # Before the child is reaped: until then its number, which is also the group's, belongs
            # to nobody else.
            kill_group(pid)
            _, status = os.waitpid(pid, 0)
            number = self._alive.pop(pid, None)
            self._kill_orphans()
            # A child without a number is no worker: it is a daemon that a worker has left.
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                deadline = self._clock() + GROUP_LIMIT
                self._ended.append(_Ended(pid, number, code, deadline))
        self._tell_exits()

    def _tell_exits(self) -> None:
        """Tell the exit of each worker whose group is gone."""
        # Not earlier: a child of the worker may hold memory of the device too, and the driver
        # gives the slot to the next worker as soon as it knows of the exit.
        now = self._clock()
        gone = [ended for ended in self._ended if ended.is_gone(now)]
        for ended in gone:
            self._ended.remove(ended)
            self._say(exit=ended.number, code=ended.code)

    def _kill_orphans(self) -> None:
        """Kill the daemons that a worker has left: children in no session of a running worker."""
        for pid in children(self._pid):
            if pid not in self._alive and session_of(pid) not in self._alive:
                kill_group(pid)


def next_ended() -> int | None:
    """A child that has ended. It is not reaped, so that its number is still its own."""
    try:
        info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if info is None else info.si_pid


def kill_group(pid: int) -> None:
    """SIGKILL to the process group of a leader, and to the leader."""
    # Both, because a process that has just been forked may not lead a group yet.
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def group_is_gone(pid: int) -> bool:
    """Whether nothing runs any more in the process group that `pid` has led."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    proc = Path("/proc")
    if not proc.is_dir():
        return False
    # The group has members, but they may all be zombies, which hold no memory. Some systems never
    # reap them.
    for stat in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text(encoding="utf-8", errors="replace")
            # A program's name stands in parentheses, and may itself hold spaces and parentheses.
            words = text.rpartition(")")[2].split()
            state, group = words[0], words[2]
            if group == str(pid) and state not in "ZX":
                return False
    return True


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def children(pid: int) -> list[int]:
    """The children of a process, zombies included. None are found if the system does not tell."""
    found: list[int] = []
    # Each thread has children of its own.
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread may have ended meanwhile.
        with contextlib.suppress(OSError):
            found += map(int, path.read_text(encoding="ascii").split())
    return found


def end_all_below(pid: int) -> None:
    """Kill every process below this one.

    Args:
        pid: number of this process.
    """
    deadline = time.monotonic() + END_ALL_LIMIT
    # Each process that ends may bring its own children here, so this goes on until none comes.
    while (left := children(pid)) and time.monotonic() < deadline:
        for child in left:
            kill_group(child)
        while next_ended() is not None:
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.002)


def count_threads() -> int:
    """How many threads this process has; 0 if the system does not tell."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 0


def preload(modules: Sequence[str]) -> None:
    """Import modules without scikit-learn. An import after this one finds scikit-learn again."""
    is_hidden = UNNEEDED not in sys.modules
    # Python raises ModuleNotFoundError for a module whose entry is None.
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
    modules = list(filter(None, options.preload.split(",")))
    with socket.socket(fileno=options.fd) as control:
        control.set_inheritable(False)
        try:
            preload(modules)
        # A module that is imported may raise anything; the driver passes it on to the user.
        except Exception:
            failure = traceback.format_exc()[-FAILURE_LENGTH:]
            control.send(json.dumps({"failed": failure}).encode())
            return bootstrap.FAILED
        gc.collect()
        # A garbage collection in a worker would otherwise write to every page that holds an
        # object, and so copy the memory that the workers share.
        gc.freeze()
        ForkServer(control).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
