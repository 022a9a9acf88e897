"""The first steps of a worker process: end with its parent, then run its entry.

Run as `python -m evonas.evaluate.local.bootstrap FD PARENT MODULE:FUNCTION` it is a whole worker, started the slow way; the
fork server uses the same steps after a fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import os
import select
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
NO_PARENT = 77
"""Exit code of a worker whose parent was gone before the worker could tie itself to it."""
VICTIM = "500"
"""Added to a worker's badness, in thousandths of all memory, when the kernel chooses whom to kill."""
FAILED = 70
"""Exit code of a worker whose entry raised."""


def process_control(option: int, argument: int) -> bool:
    """Linux's `prctl` on this process; False where there is none, or where it refuses."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) == 0)


def die_with_parent(parent: int) -> bool:
    """Have the kernel SIGKILL this process when its parent ends; ends it here where the parent is gone already.

    The signal comes when the parent's *thread* that started this process ends: a pool is owned by one thread.
    """
    tied = process_control(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(NO_PARENT)
    return tied


def die_with_connection(fd: int) -> None:
    """Start a thread that SIGKILLs this process's group when the other end of the socket `fd` is closed."""

    def wait() -> None:
        poll = select.poll()
        poll.register(
            fd, 0
        )  # no event asked for: a hang-up is always reported, and data are left alone
        while not any(
            events & (select.POLLHUP | select.POLLERR | select.POLLNVAL)
            for _, events in poll.poll()
        ):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="hang-up", daemon=True).start()


def volunteer() -> None:
    """Have the kernel, where memory ends, kill this process rather than the driver or the fork server."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(VICTIM, encoding="ascii")


def run(entry: str, fd: int) -> NoReturn:
    """Call `module:function` with the worker's socket and leave the process, without Python's own farewell.

    Leaving by `os._exit` keeps a forked child from running what its parent has registered for its own end.
    """
    code = 0
    try:
        volunteer()
        faulthandler.enable()
        faulthandler.register(signal.SIGUSR1)
        module, _, function = entry.partition(":")
        getattr(importlib.import_module(module), function)(fd)
    except BaseException:  # the worker's border: whatever it was, it goes to the log
        traceback.print_exc()
        code = FAILED
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def main(arguments: list[str]) -> NoReturn:
    fd, parent, entry = int(arguments[0]), int(arguments[1]), arguments[2]
    os.set_inheritable(fd, False)
    if not die_with_parent(parent):
        die_with_connection(fd)
    run(entry, fd)


if __name__ == "__main__":
    main(sys.argv[1:])
