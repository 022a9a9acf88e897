"""Stopping by signal: one Ctrl-C finishes what runs, a second one abandons it; SIGTERM abandons it.

The record is safe in each case.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from enum import IntEnum
from types import FrameType
from typing import Any

from evonas.errors import Stopped, Terminated


class Urgency(IntEnum):
    """How soon the user wants the session to end."""

    NONE = 0
    FINISH = 1
    ABANDON = 2


class StopRequest:
    """What the user has asked for so far; the engine looks at it between two polls."""

    def __init__(self) -> None:
        self.urgency = Urgency.NONE
        self.by = signal.SIGINT

    @property
    def is_asked(self) -> bool:
        """Whether any signal came, in time to stop something or not."""
        return self.urgency > Urgency.NONE

    def raise_urgency(self, number: int, frame: FrameType | None = None) -> None:
        """The signal handler: only notes the signal."""
        # Python runs a handler between any two instructions of the main thread. An exception from
        # here could end a transaction or a file in the middle.
        self.by = signal.Signals(number)
        if self.by == signal.SIGTERM or self.urgency >= Urgency.FINISH:
            self.urgency = Urgency.ABANDON
        else:
            self.urgency = Urgency.FINISH

    def error(self, message: str) -> Stopped:
        """The exception that ends the session, by the last signal."""
        if self.by == signal.SIGTERM:
            return Terminated(message)
        return Stopped(message)


@contextlib.contextmanager
def stop_on_signals(request: StopRequest) -> Iterator[None]:
    """SIGINT and SIGTERM go to the request while this lasts."""
    # Python allows signal handlers in the main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.getsignal(number)
    for number in before:
        signal.signal(number, request.raise_urgency)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
