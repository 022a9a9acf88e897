"""How often the test data were opened, in words from the record."""

from __future__ import annotations

import time
from collections.abc import Sequence

from evonas.runtime.openings import Opening
from evonas.words import counted, listed


def opened_in_words(openings: Sequence[Opening], are_all: bool) -> str:
    """A phrase for the scores on test data, which are honest if the data were opened once.

    Args:
        openings: openings that the record has noted.
        are_all: whether there were no others.
    """
    if not openings:
        if are_all:
            return "test data never opened"
        return "when the test data were opened is not in this older record"
    count = len(openings)
    times = "once" if count == 1 else counted(count, "time")
    if not are_all:
        times = f"at least {times}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(openings[0].at))
    words = f"test data opened {times}, {_first(count)}{when}"
    trials = list(dict.fromkeys(one.trial for one in openings))
    if len(trials) > 1:
        words += f", for trials {listed([str(trial) for trial in trials])}"
    if fresh := sum(one.is_fresh for one in openings):
        words += f", {fresh:,} of them to score trainings with fresh seeds"
    return words


def _first(count: int) -> str:
    return "" if count == 1 else "first "
