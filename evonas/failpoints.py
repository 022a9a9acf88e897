"""Failpoints: named places where a test may kill the process, or let its disk fail, to show that nothing is lost.

`failpoint(name)` is called before and after everything that a crash could tear apart. It costs one comparison, unless
the environment says what is to happen, and at which call, counted from 1 in each process:

    EVONAS_FAILPOINT=17             the 17th call ends the process with SIGKILL, as a power cut would
    EVONAS_FAILPOINT=17:enospc      the disk is full there
    EVONAS_FAILPOINT=17:eio         the disk is broken there
    EVONAS_FAILPOINT=17:delay=0.5   the process stands still for half a second there
    EVONAS_FAILPOINT=17:torn        half of what was written is on the disk, and the process is killed
    EVONAS_FAILPOINT=17+:enospc     there, and at every later call: a disk that stays full
    EVONAS_FAILPOINT=0              nothing happens; calls are counted

A disk fails where it is written to, so `enospc` and `eio` mean something at the calls that say how the failure looks
there, `torn` at those that name the file, and nothing at the others.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

VARIABLE = "EVONAS_FAILPOINT"

ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO}

DiskError = Callable[[OSError], Exception]
"""What the code at a failpoint meets when the disk fails: the error itself, or what a library makes of it."""

_PLAN = re.compile(
    r"(?P<at>\d+)(?P<on>\+)?(?::(?P<action>kill|enospc|eio|torn|delay=(?P<seconds>\d+(\.\d+)?)))?"
)


@dataclass(frozen=True)
class Plan:
    """What happens, and when.

    Attributes:
        at: the call, counted from 1; 0 never.
        action: `kill`, `enospc`, `eio`, `torn` or `delay`.
        seconds: of the delay.
        onwards: whether it happens at every later call, too.
    """

    at: int
    action: str = "kill"
    seconds: float = 0.0
    onwards: bool = False

    @classmethod
    def parse(cls, text: str) -> Plan:
        """
        Raises:
            ValueError: not of the form that the module's docstring shows.
        """
        if not (found := _PLAN.fullmatch(text)):
            raise ValueError(
                f"{VARIABLE} must be such as 17, 17:enospc, 17:delay=0.5 or 17+:eio. Received: {text!r}"
            )
        action = (found["action"] or "kill").partition("=")[0]
        return cls(int(found["at"]), action, float(found["seconds"] or 0), found["on"] is not None)

    def is_due(self, call: int) -> bool:
        return call == self.at or (self.onwards and 0 < self.at < call)


class Failpoints:
    """Counts the calls, and acts at the chosen ones.

    Attributes:
        plan: None: failpoints are off.
        names: of the calls so far.
        writes: the numbers of those calls at which the disk may fail.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.names: list[str] = []
        self.writes: list[int] = []

    def arm(self, plan: Plan | int) -> None:
        self.plan = Plan(plan) if isinstance(plan, int) else plan
        self.names, self.writes = [], []

    def hit(self, name: str, disk: DiskError | None = None, file: BinaryIO | None = None) -> None:
        self.names.append(name)
        if disk is not None:
            self.writes.append(len(self.names))
        if self.plan is not None and self.plan.is_due(len(self.names)):
            self._act(self.plan, name, disk, file)

    def _act(self, plan: Plan, name: str, disk: DiskError | None, file: BinaryIO | None) -> None:
        if plan.action == "kill":
            _die()
        elif plan.action == "delay":
            time.sleep(plan.seconds)
        elif plan.action == "torn" and file is not None:
            file.flush()
            os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size // 2)
            os.fsync(file.fileno())
            _die()
        elif plan.action in ERRORS and disk is not None:
            number = ERRORS[plan.action]
            raise disk(OSError(number, f"{os.strerror(number)} (failpoint {name})"))


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process outlives its SIGKILL")


failpoints = Failpoints(Plan.parse(os.environ[VARIABLE]) if VARIABLE in os.environ else None)


def failpoint(name: str, disk: DiskError | None = None, file: BinaryIO | None = None) -> None:
    """A place where a test may kill this process.

    Args:
        disk: where the disk is written: how its failure looks there.
        file: that has just been written, and is not yet whole.
    """
    if failpoints.plan is not None:
        failpoints.hit(name, disk, file)


def as_it_is(error: OSError) -> OSError:
    """The failure of a disk where a file is written."""
    return error
