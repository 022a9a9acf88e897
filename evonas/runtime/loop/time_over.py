"""What the user is told when the budget in seconds is spent."""

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
