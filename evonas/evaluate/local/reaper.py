"""The reaper: the parent of the fork server, which leaves no process behind.

Run as `python -m evonas.evaluate.local.reaper FD --preload tensorflow,keras`, with the arguments of
the fork server. It forks, and its child goes on as the fork server.

The fork server may end at any moment: a network kills its parent, or the kernel needs memory. The
kernel then ends the workers too (the parent-death signal), but not what they had started. Those
processes become children of the reaper (child subreaper), which kills them. It does the same when
the driver is gone, also if the fork server hangs in an import. A fork server that was stopped is
continued. No network has the reaper as its parent, and it obeys nobody but the driver.

If the reaper itself is stopped when the driver ends, the kernel continues it (SIGCONT as its
parent-death signal). If it is killed, the driver finds what is left by its mark (`leftovers.py`).
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from evonas.evaluate.local import bootstrap, fork_server

LIFELINE = 0
"""Standard input: a pipe into which nothing is written. Its end means that the driver is gone."""
KILLED = 128
"""Added to the number of the signal that has ended the fork server, as shells do."""

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGCONT)


def stand_above(control: int) -> None:
    """Fork, and return in the child, which becomes the fork server. The parent never returns.

    Args:
        control: file descriptor that only the fork server keeps.
    """
    driver, reaper = os.getppid(), os.getpid()
    wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    # The handlers do nothing: `select` wakes up for the byte that Python writes into the pipe.
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    # Both before the fork: what the fork server starts is then below this process for certain.
    bootstrap.process_control(bootstrap.PR_SET_CHILD_SUBREAPER, 1)
    # The lifeline tells the same. But another process may have inherited the driver's end of it,
    # and a process that is stopped reads nothing: this signal makes it go on.
    bootstrap.process_control(bootstrap.PR_SET_PDEATHSIG, signal.SIGCONT)
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.close(wake)
        os.close(wake_write)
        _become_fork_server(reaper)
        return
    # Otherwise the driver would not see the fork server's end.
    os.close(control)
    _watch(driver, child, wake)


def _become_fork_server(reaper: int) -> None:
    # A session and a group of its own: a signal to the group of a worker's parent, sent by a
    # network, does not reach the reaper.
    os.setsid()
    bootstrap.die_with_parent(reaper)
    # Workers have an empty standard input.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, LIFELINE)
    os.close(nothing)


def _watch(driver: int, child: int, wake: int) -> NoReturn:
    """Wait for the end of the fork server or of the driver; then kill all, and end."""
    while os.getppid() == driver:
        readable, _, _ = select.select([LIFELINE, wake], [], [])
        numbers = os.read(wake, 4096) if wake in readable else b""
        if LIFELINE in readable or signal.SIGTERM in numbers or signal.SIGINT in numbers:
            break
        if _has_ended(child):
            break
        # Only a network would stop it. If somebody pauses the whole run, this process is paused
        # too, and goes on when all do.
        if _is_stopped(child):
            os.kill(child, signal.SIGCONT)
    # A fork server that has ended is not reaped yet, so its number is still its own.
    fork_server.kill_group(child)
    _, status = os.waitpid(child, 0)
    # The kernel gives the processes below the fork server to this one as soon as it has ended.
    fork_server.end_all_below(os.getpid())
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else KILLED - code)


def _has_ended(child: int) -> bool:
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child, flags) is not None


def _is_stopped(child: int) -> bool:
    flags = os.WSTOPPED | os.WNOHANG
    return os.waitid(os.P_PID, child, flags) is not None


def main(arguments: Sequence[str]) -> int:
    stand_above(int(arguments[0]))
    return fork_server.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
