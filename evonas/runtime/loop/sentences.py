"""What the user is told when a session comes to its end."""

from __future__ import annotations

import math

from evonas.words import counted


def end_of_time(running: int, left: float | None) -> str:
    """A sentence: trials that run end with the current epoch.

    Args:
        running: number of trials that run, at least 1.
        left: seconds until their epochs end, if that can be estimated.
    """
    ending = counted(running, "running trial ends", "running trials end")
    words = f"the time is over: {ending} with the current epoch"
    # An epoch may take minutes, and nobody should have to guess whether it hangs.
    if left is not None:
        words += f", in about {counted(math.ceil(left), 'second')}"
    them = "it" if running == 1 else "them"
    return f"{words}; Ctrl-C twice ends {them} now"


def finishing(running: int) -> str:
    """What happens after a signal."""
    if not running:
        return "no trial is running"
    return f"finishing {counted(running, 'running trial')}"


def stopped(done: int, limit: int | None, running: int) -> str:
    """How far a session came that the user has stopped, and what becomes of what ran.

    Args:
        done: number of trials with an outcome.
        limit: budget in trials, or None.
        running: number of trials that ran.
    """
    of = "" if limit is None else f" of {limit:,}"
    left = "nothing is lost"
    if running:
        ran = counted(running, "running trial was", "running trials were")
        them = "it" if running == 1 else "them"
        left = f"{ran} ended, and a resume trains {them}"
    return f"stopped after {counted(done, 'trial')}{of}; {left}"


def other_code(running: int) -> str:
    """What becomes of trials that run with the old code, when the new one was imported."""
    words = counted(running, "running trial")
    return f"the code has changed: {words} of the old code will be finished"
