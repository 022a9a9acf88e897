"""The worker's border in the driver's own process: whatever a job raises is its outcome."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from evonas.evaluate.contract.raised import end_of_traceback, leave_if_forked, message_of
from evonas.files import kept_folder
from evonas.trial import Details, Outcome, TrialState

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Heard:
    """Passes a Ctrl-C on to who handles it, and notes it if that raises.

    Attributes:
        has_raised: whether the user has pressed Ctrl-C, and a KeyboardInterrupt came of it.
    """

    def __init__(self) -> None:
        self.has_raised = False
        self._before: dict[int, Any] = {}

    def take_over(self) -> None:
        for number in SIGNALS:
            self._before[number] = signal.getsignal(number)
        # Without a handler in Python, the signal does not raise.
        if callable(self._before[signal.SIGINT]):
            signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        try:
            self._before[number](number, frame)
        except KeyboardInterrupt:
            self.has_raised = True
            raise

    def give_back(self) -> None:
        for number, handler in self._before.items():
            # None: it was not set from Python, and cannot be set again.
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def _listening() -> Iterator[_Heard]:
    """Hears a Ctrl-C of the user's; puts back the handlers, which the job may have changed."""
    heard = _Heard()
    # Python lets only the main thread set handlers, and interrupts no other one.
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    heard.take_over()
    try:
        yield heard
    finally:
        heard.give_back()


def outcome_of(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of a job that is done in this process.

    A user's function may call `sys.exit` or raise KeyboardInterrupt. Neither must end the search.

    Args:
        work: does the job.

    Raises:
        KeyboardInterrupt: the user has pressed Ctrl-C, and nobody else handles it.
    """
    pid = os.getpid()
    with _listening() as heard, kept_folder():
        try:
            outcome = work()
        # The worker's border: here there is no process between it and the driver.
        except BaseException as error:
            leave_if_forked(pid)
            outcome = Outcome(
                TrialState.ERROR,
                message=message_of(error),
                details=Details(log=end_of_traceback()),
            )
    leave_if_forked(pid)
    # The job may have made an outcome of it, too.
    if heard.has_raised:
        raise KeyboardInterrupt
    return outcome
