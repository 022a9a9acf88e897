"""The first steps of a worker process: tie it to its parent, then run its entry.

`python -m evonas.evaluate.local.bootstrap FD PARENT MODULE:FUNCTION` is a whole worker, started
without a fork server. The fork server takes the same steps after a fork.
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

from evonas.streams import take_streams

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

NO_PARENT = 77
"""Exit code of a worker whose parent was gone before the worker could tie itself to it."""
FAILED = 70
"""Exit code of a worker whose entry raised."""
OOM_SCORE = "500"
"""Added to the score by which the kernel chooses whom to kill, in thousandths of all memory."""


def process_control(option: int, argument: int) -> bool:
    """Call Linux's `prctl` on this process.

    Returns:
        False if the system has no `prctl`, or if it refuses.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.prctl(option, argument, 0, 0, 0)
    return bool(result == 0)


def flush_c() -> None:
    """Write what native libraries have left in the buffers of the C library."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)


def die_with_parent(parent: int) -> bool:
    """Have the kernel SIGKILL this process when its parent ends.

    If the parent is gone already, the process ends here.

    Args:
        parent: pid of the process that started this one.

    Returns:
        False if the system cannot do it.
    """
    # The signal comes when the *thread* ends that started this process. So a launcher belongs to
    # one thread, and that thread must last as long as the workers.
    tied = process_control(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Asked after `prctl`: a parent that ended just before it would never cause the signal.
    if os.getppid() != parent:
        os._exit(NO_PARENT)
    return tied


def die_with_connection(fd: int) -> None:
    """Start a thread that SIGKILLs this process's group when the other end of a socket is closed.

    Args:
        fd: file descriptor of the socket.
    """

    def wait() -> None:
        poll = select.poll()
        # No event is asked for. The system reports a hang-up all the same, and the thread does not
        # wake up for data, which the worker itself will read.
        poll.register(fd, 0)
        while not _tells_of_hang_up(poll.poll()):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="hang-up", daemon=True).start()


def _tells_of_hang_up(found: list[tuple[int, int]]) -> bool:
    ends = select.POLLHUP | select.POLLERR | select.POLLNVAL
    return any(events & ends for _, events in found)


def prefer_as_oom_victim() -> None:
    """Have the kernel kill this process before the driver or the fork server if memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")


def run(entry: str, fd: int) -> NoReturn:
    """Call the worker's entry, then end the process.

    Args:
        entry: `module:function`.
        fd: file descriptor of the worker's socket, the function's argument.
    """
    code = 0
    take_streams()
    streams = (sys.stdout, sys.stderr)
    try:
        prefer_as_oom_victim()
        faulthandler.enable()
        # SIGUSR1 then writes the stack of a worker that hangs to its log.
        faulthandler.register(signal.SIGUSR1)
        module_name, _, function_name = entry.partition(":")
        module = importlib.import_module(module_name)
        function = getattr(module, function_name)
        function(fd)
    # The worker's border: whatever was raised goes to the log, also SystemExit.
    except BaseException:
        traceback.print_exc(file=streams[1])
        code = FAILED
    finally:
        # `os._exit` flushes nothing, and the last words in the log are the ones that are needed.
        # The user's code may have put other streams there, or none.
        for stream in (sys.stdout, sys.stderr, *streams):
            with contextlib.suppress(Exception):
                stream.flush()
        # A forked child has inherited its parent's exit handlers: it must not run them.
        os._exit(code)


def main(arguments: list[str]) -> NoReturn:
    fd = int(arguments[0])
    parent = int(arguments[1])
    entry = arguments[2]
    # A program that the worker starts must not hold the socket open after the worker's end.
    os.set_inheritable(fd, False)
    if not die_with_parent(parent):
        die_with_connection(fd)
    run(entry, fd)


if __name__ == "__main__":
    main(sys.argv[1:])
