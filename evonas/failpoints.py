"""Failpoints: named places where a test may kill the process, or let its disk fail.

They show that nothing is lost. `failpoint(name)` is called before and after everything that a
crash could tear apart. A call costs one comparison, unless the environment names a plan. The plan
says what happens, and at which call, counted from 1 in each process:

    EVONAS_FAILPOINT=17             the 17th call ends the process with SIGKILL, like a power cut
    EVONAS_FAILPOINT=17:enospc      the disk is full there
    EVONAS_FAILPOINT=17:eio         the disk is broken there
    EVONAS_FAILPOINT=17:delay=0.5   the process stands still for half a second there
    EVONAS_FAILPOINT=17:torn        half of what was written is on the disk; the process is killed
    EVONAS_FAILPOINT=17+:enospc     there, and at every later call: a disk that stays full
    EVONAS_FAILPOINT=0              nothing happens; calls are counted

A disk fails where it is written to. So `enospc` and `eio` have an effect only at calls that pass
`disk`. `torn` has an effect only at calls that pass `file`.
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

ERRORS = {
    "enospc": errno.ENOSPC,
    "eio": errno.EIO,
}

DiskError = Callable[[OSError], Exception]
"""The error that the code at a failpoint sees when the disk fails.

That is the OSError itself, or the error that a library makes of it.
"""

_PLAN = re.compile(
    r"(?P<at>\d+)(?P<on>\+)?(?::(?P<action>kill|enospc|eio|torn|delay=(?P<seconds>\d+(\.\d+)?)))?"
)


@dataclass(frozen=True)
class Plan:
    """What happens, and when.

    Attributes:
        at: number of the call, from 1; 0 means never.
        action: `kill`, `enospc`, `eio`, `torn` or `delay`.
        seconds: length of the delay.
        onwards: whether it also happens at every later call.
    """

    at: int
    action: str = "kill"
    seconds: float = 0.0
    onwards: bool = False

    @classmethod
    def parse(cls, text: str) -> Plan:
        """The plan that a text such as `17+:enospc` stands for.

        Raises:
            ValueError: not of the form that the module's docstring shows.
        """
        found = _PLAN.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{VARIABLE} must be such as 17, 17:enospc, 17:delay=0.5 or 17+:eio."
                f" Received: {text!r}"
            )
        # Of `delay=0.5` only the word; its seconds are a group of their own.
        action = (found["action"] or "kill").partition("=")[0]
        seconds = float(found["seconds"] or 0)
        onwards = found["on"] is not None
        return cls(int(found["at"]), action, seconds, onwards)

    def is_due(self, call: int) -> bool:
        """Whether the plan's action happens at this call."""
        if call == self.at:
            return True
        return self.onwards and 0 < self.at < call


class Failpoints:
    """Counts the calls, and acts at the chosen ones.

    Attributes:
        plan: what happens and when; None switches failpoints off.
        names: names of the calls so far.
        writes: numbers of the calls at which the disk may fail.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.names: list[str] = []
        self.writes: list[int] = []

    def arm(self, plan: Plan | int) -> None:
        """Sets the plan and counts from 1 again; a number alone means a kill at this call."""
        if isinstance(plan, int):
            plan = Plan(plan)
        self.plan = plan
        self.names = []
        self.writes = []

    def hit(self, name: str, disk: DiskError | None = None, file: BinaryIO | None = None) -> None:
        """Counts one call, and acts if the plan says so; see `failpoint`."""
        self.names.append(name)
        call = len(self.names)
        if disk is not None:
            self.writes.append(call)
        plan = self.plan
        if plan is not None and plan.is_due(call):
            self._act(plan, name, disk, file)

    def _act(self, plan: Plan, name: str, disk: DiskError | None, file: BinaryIO | None) -> None:
        if plan.action == "kill":
            _die()
        elif plan.action == "delay":
            time.sleep(plan.seconds)
        elif plan.action == "torn" and file is not None:
            _tear(file)
            _die()
        elif plan.action in ERRORS and disk is not None:
            number = ERRORS[plan.action]
            text = f"{os.strerror(number)} (failpoint {name})"
            raise disk(OSError(number, text))


def _tear(file: BinaryIO) -> None:
    """Leaves half of the file on the disk."""
    file.flush()
    descriptor = file.fileno()
    size = os.fstat(descriptor).st_size
    os.ftruncate(descriptor, size // 2)
    # The process dies next, and the half must be there after that.
    os.fsync(descriptor)


def _die() -> NoReturn:
    # SIGKILL, because no handler and no `finally` may run after a power cut.
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process outlives its SIGKILL")


def _plan_of_environment() -> Plan | None:
    if VARIABLE not in os.environ:
        return None
    return Plan.parse(os.environ[VARIABLE])


failpoints = Failpoints(_plan_of_environment())


def failpoint(name: str, disk: DiskError | None = None, file: BinaryIO | None = None) -> None:
    """A place where a test may kill this process.

    Args:
        disk: the error that the code here sees if the disk fails; None if nothing is written here.
        file: the file that has just been written, and is not yet whole.
    """
    if failpoints.plan is not None:
        failpoints.hit(name, disk, file)


def as_it_is(error: OSError) -> OSError:
    """The failure of a disk where a file is written."""
    return error
