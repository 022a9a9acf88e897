"""How the `evonas` command leaves: at once, with its own exit code, and with no process behind it.

The inline and the simulated pool run the user's code in this very process, and so does a replay.
Threads, functions for the exit and child processes of that code would otherwise be waited for,
perhaps for ever, or would end the process with a code of their own. Workers leave in the same way.

Only the command leaves so. In a program of the user's, the end is the program's affair.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import NoReturn

from evonas.evaluate.local import bootstrap
from evonas.evaluate.local.fork_server import end_all_below
from evonas.streams import PATIENCE, STREAMS, LastingStream, hurry

STOPPED = 130
"""Exit code after a Ctrl-C."""


def take_orphans() -> None:
    """Processes whose parent ends become children of this one, which `leave` ends."""
    bootstrap.process_control(bootstrap.PR_SET_CHILD_SUBREAPER, 1)


def say_stopped() -> int:
    """Tell of a Ctrl-C if nobody else can.

    Returns:
        The exit code.
    """
    with contextlib.suppress(BaseException):
        # The streams may not have been taken yet, or not any more.
        hurry()
        print("evonas: stopped by Ctrl-C.", file=LastingStream(STREAMS["stderr"]), flush=True)
    return STOPPED


def leave(code: object) -> NoReturn:
    """End the processes that this one has started and not ended, then this one.

    Args:
        code: as `SystemExit` has it.
    """
    number = 0 if code is None else 1
    if isinstance(code, int):
        number = code & 0xFF
    try:
        end_all_below(os.getpid())
        # In a thread: one of the user's may hold a lock of a stream.
        last = threading.Thread(target=_flush, daemon=True)
        last.start()
        last.join(PATIENCE)
    # Another Ctrl-C.
    finally:
        os._exit(number)


def _flush() -> None:
    """Write what is still in a buffer of Python's or of the C library."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
    bootstrap.flush_c()
