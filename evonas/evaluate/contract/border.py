"""The worker's border: whatever the user's code raises becomes an outcome."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

from evonas.evaluate.contract.raised import leave_if_forked, message_of, text_of
from evonas.trial import Outcome, TrialState


def at_border(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of work, also if it raises. What it was is told on the error stream.

    Code of the user's may call `sys.exit`. No Ctrl-C comes here: a worker has a session of its own.
    In the driver's process the inline pool tells it from a KeyboardInterrupt of the code's.
    """
    pid = os.getpid()
    try:
        return work()
    except MemoryError as error:
        message = f"Python is out of memory. {first_line(error)}".strip()
        return Outcome(TrialState.OOM_HOST, message=message)
    except BaseException as error:
        leave_if_forked(pid)
        with suppress(BaseException):
            traceback.print_exc()
        # After an `error` the driver kills this worker: what is not flushed by then is lost.
        with suppress(BaseException):
            sys.stderr.flush()
        return Outcome(TrialState.ERROR, message=message_of(error))
    finally:
        leave_if_forked(pid)


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    lines = text_of(error).strip().splitlines()
    return lines[0] if lines else ""
