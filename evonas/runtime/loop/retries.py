"""Retries: whether a trial is tried again, and how. The recorded attempts decide, and nothing else.

So retries that are used up, and halved batch sizes, survive a resume.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evonas.runtime.loop.jobs import could_not_write
from evonas.trial import ABANDONED, Attempt, Cause, Outcome, TrialState
from evonas.words import counted

RETRIES = {TrialState.LOST: 3, TrialState.CRASHED: 1, TrialState.OOM_HOST: 1}
"""Failures of the machine, not of the network, and how often each is tried again.

A retry has a fresh worker.
"""

ALONE = frozenset({TrialState.CRASHED, TrialState.OOM_HOST})
"""Failures that another trial may have caused: after them a trial runs while no other does.

So does a trial that was lost with the fork server.
"""

HALVES = 2
"""Parts of a batch after the device's memory was not enough."""

SUSPICIOUS = 3
"""Number of fruitless attempts after which a trial runs alone.

If the driver then ends again, no other trial is suspected.
"""

FRUITLESS_LIMIT = 25
"""Number of fruitless attempts after which a trial is set aside as `lost`.

Such a trial may be the reason why the driver or the machine goes down. Attempts of other kinds need
no such limit: each kind has its own, and a trial has at most eight of them.
"""


def accumulation(attempts: Sequence[Attempt], start: int = 1) -> int:
    """The number of parts in which the next attempt trains a batch.

    It is two after an attempt that ran out of the device's memory.

    Args:
        attempts: attempts at the trial so far.
        start: parts of the first attempt, as in the training that this one continues.
    """
    for attempt in attempts:
        if attempt.state == TrialState.OOM_DEVICE:
            return HALVES
    return start


def is_tried_again(attempts: Sequence[Attempt], outcome: Outcome, parts: int) -> bool:
    """Whether a trial gets another attempt after this outcome.

    Args:
        attempts: attempts before this outcome.
        parts: number of parts in which the trial trained a batch.
    """
    if outcome.state is TrialState.OOM_DEVICE:
        # A batch that was cut, or that has one sample, is not cut again.
        return parts == 1 and outcome.details.batch_size != 1
    # A full disk is not the trial's fault. The disk guard decides how often this may happen.
    if could_not_write(outcome):
        return True
    # `judged` sees to it that this happens once.
    if outcome.state is TrialState.LOST and outcome.details.cause is Cause.FORK_SERVER:
        return True
    used = 0
    for attempt in attempts:
        # For the same reason neither of the two has used up a retry.
        is_counted = attempt.details.cause is None
        if attempt.state == outcome.state and is_counted:
            used += 1
    return used < RETRIES.get(outcome.state, 0)


def judged(attempts: Sequence[Attempt], outcome: Outcome) -> Outcome:
    """The outcome with the blame that the attempts before it allow.

    Several trials are lost with a fork server. Each of them is then tried again alone. If the fork
    server ends once more, nobody else can have been the cause: the trial is `crashed`.

    Args:
        attempts: attempts before this outcome.
    """
    if outcome.state is not TrialState.LOST or outcome.details.cause is not Cause.FORK_SERVER:
        return outcome
    if not any(_was_lost_with_the_fork_server(attempt) for attempt in attempts):
        return outcome
    message = (
        "The fork server, the process that had forked the worker, ended while this trial ran, "
        "and no other one did."
    )
    # Without the cause: from here on it is a crash like any other.
    details = replace(outcome.details, cause=None)
    return replace(outcome, state=TrialState.CRASHED, message=message, details=details)


def _was_lost_with_the_fork_server(attempt: Attempt) -> bool:
    return attempt.state == TrialState.LOST and attempt.details.cause is Cause.FORK_SERVER


def runs_alone(attempts: Sequence[Attempt]) -> bool:
    """Whether the next attempt runs while no other trial does."""
    for attempt in attempts:
        if attempt.state in ALONE or _was_lost_with_the_fork_server(attempt):
            return True
    return fruitless(attempts) >= SUSPICIOUS


def fruitless(attempts: Sequence[Attempt]) -> int:
    """The number of abandoned attempts since the training last got further than ever before."""
    # A driver may be killed for reasons of its own, always before the same trials end. Such a trial
    # is healthy, and its training gets further each time. The record is told its epochs once a
    # second. FRUITLESS_LIMIT is above the 20 kills that the tests deal out to one run. So they
    # cannot reach it, wherever they strike.
    furthest = 0
    count = 0
    for attempt in attempts:
        if attempt.epochs > furthest:
            furthest = attempt.epochs
            count = 0
        elif attempt.state == ABANDONED:
            count += 1
    return count


def suspicion(trial: int, attempts: Sequence[Attempt]) -> str:
    """A sentence about a trial that ran each time the driver ended; empty if there is no such."""
    if fruitless(attempts) < SUSPICIOUS:
        return ""
    what = _what_happened(trial, attempts)
    return f"{what}; it runs alone now"


def set_aside(trial: int, attempts: Sequence[Attempt]) -> Outcome | None:
    """The outcome of a trial that is given up; None if it is not.

    It takes the place of the outcome of the last attempt, which will never arrive.
    """
    if fruitless(attempts) < FRUITLESS_LIMIT:
        return None
    message = f"It was set aside: {_what_happened(trial, attempts)}."
    return Outcome(TrialState.LOST, epochs=attempts[-1].epochs, message=message)


def _what_happened(trial: int, attempts: Sequence[Attempt]) -> str:
    times = counted(fruitless(attempts), "time")
    return f"the driver ended {times} while trial {trial} ran, and it got no further"
