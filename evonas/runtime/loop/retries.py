"""Retries: whether a trial is tried again, and how, read from its recorded attempts and from nothing else.

So a resume goes on where the record ends: it grants no retry twice, and does not forget that batches were to be cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas.runtime.loop.jobs import DISK, could_not_write
from evonas.runtime.record.rows import Attempt
from evonas.trial import Outcome, TrialState

RETRIES = {TrialState.LOST: 3, TrialState.CRASHED: 1, TrialState.OOM_HOST: 1}
"""Failures of the machine rather than of the network, and how often they are tried again, in a fresh worker."""

ALONE = frozenset({TrialState.CRASHED, TrialState.OOM_HOST})
"""Failures that a neighbour may have caused: after them a trial runs while no other does."""

HALVES = 2
"""Parts of a batch, on the second rung of the ladder."""

ABANDONED = "abandoned"
"""The state of an attempt whose driver ended before any outcome."""

SUSPICIOUS = 3
"""After so many fruitless attempts a trial runs alone: if the driver falls again, no other trial is suspected."""

FRUITLESS_LIMIT = 25
"""After so many fruitless attempts a trial is set aside as `lost`: it may be what takes driver or machine down.

Other attempts than abandoned ones need no such cap, since each of their kinds has one: a trial has at most seven. A
driver that is killed for reasons of its own abandons what runs, always the same trials if it never lives long enough
to end one. That must not spoil a healthy trial. So an attempt counts only while the training gets no further than it
once was, by its epochs, which the record is told once a second; and the limit is above the 20 kills that the tests deal
out to one run, which therefore cannot reach it wherever they strike.
"""


def accumulation(attempts: Sequence[Attempt], start: int = 1) -> int:
    """In how many parts the next attempt trains its batches: two, once the device's memory was not enough.

    Args:
        attempts: at the trial so far.
        start: of the first attempt; that of the trial which this one continues.
    """
    return HALVES if any(attempt.state == TrialState.OOM_DEVICE for attempt in attempts) else start


def is_tried_again(attempts: Sequence[Attempt], outcome: Outcome, parts: int) -> bool:
    """Whether a trial gets another attempt after this outcome.

    Args:
        attempts: those before it.
        parts: in which it trained its batches; a batch that was cut, or has one sample, is not cut again.
    """
    if outcome.state is TrialState.OOM_DEVICE:
        return parts == 1 and outcome.details.get("batch_size") != 1
    if could_not_write(outcome):
        return True  # as often as the disk guard lets it: the disk's failure is nobody's
    like = [attempt for attempt in attempts if attempt.state == outcome.state]
    used = sum(1 for attempt in like if attempt.details.get("cause") != DISK)
    return used < RETRIES.get(outcome.state, 0)


def runs_alone(attempts: Sequence[Attempt]) -> bool:
    """Whether the next attempt runs while no other trial does."""
    return any(attempt.state in ALONE for attempt in attempts) or fruitless(attempts) >= SUSPICIOUS


def fruitless(attempts: Sequence[Attempt]) -> int:
    """How many attempts were abandoned since the training last got further than ever before."""
    furthest = count = 0
    for attempt in attempts:
        if attempt.epochs > furthest:
            furthest, count = attempt.epochs, 0
        elif attempt.state == ABANDONED:
            count += 1
    return count


def suspicion(trial: int, attempts: Sequence[Attempt]) -> str:
    """What there is to say against a trial that ran each time the driver went down; empty for nothing."""
    if fruitless(attempts) < SUSPICIOUS:
        return ""
    return f"{_what_happened(trial, attempts)}; it runs alone now. `evonas replay RUN {trial}` shows what it does"


def set_aside(trial: int, attempts: Sequence[Attempt]) -> Outcome | None:
    """The outcome of a trial that is given up: it takes the place of its last attempt's, which will never come."""
    if fruitless(attempts) < FRUITLESS_LIMIT:
        return None
    what = f"It was set aside: {_what_happened(trial, attempts)}."
    message = f"{what} `evonas replay RUN {trial}` trains it in the foreground."
    return Outcome(TrialState.LOST, epochs=attempts[-1].epochs, message=message)


def _what_happened(trial: int, attempts: Sequence[Attempt]) -> str:
    return f"the driver ended {fruitless(attempts)} times while trial {trial} ran, and it got no further"
