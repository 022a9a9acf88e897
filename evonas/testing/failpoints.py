"""Failpoints: named places where a test may kill the process, to show that nothing is lost.

The engine and the record call `failpoint(name)` before and after everything that a crash could tear apart. It costs one
comparison, unless the environment says `EVONAS_FAILPOINT=17`: then the 17th call ends the process with SIGKILL, as a
power cut would. `EVONAS_FAILPOINT=0` only counts.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "EVONAS_FAILPOINT"


class Failpoints:
    """Counts the calls, and kills at the chosen one.

    Attributes:
        at: the call at which to die, counted from 1; 0 never; None: failpoints are off.
        names: of the calls so far.
    """

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.names: list[str] = []

    def arm(self, at: int) -> None:
        self.at, self.names = at, []

    def hit(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


failpoints = Failpoints(int(os.environ[VARIABLE]) if VARIABLE in os.environ else None)


def failpoint(name: str) -> None:
    """A place where a test may kill this process."""
    if failpoints.at is not None:
        failpoints.hit(name)
