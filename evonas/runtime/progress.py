"""Progress: how far a run is, what is the best so far, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.trial import Trial


@dataclass(frozen=True)
class Progress:
    """A picture of the run at one moment.

    Attributes:
        generation: of the latest proposal.
        done: trials with an outcome, without twins.
        total: the budget, in trials.
        running: trials that are in a worker.
        failures: trials that are done and not `ok`.
        twins: proposals that took an earlier trial's outcome and cost nothing.
        incumbent: the best trial so far; None before the first success.
        elapsed: seconds since this session began.
        remaining: estimated seconds to the end; None before the first outcome of this session.
    """

    generation: int
    done: int
    total: int
    running: int
    failures: int
    twins: int
    incumbent: Trial | None
    elapsed: float
    remaining: float | None


def estimate_remaining(elapsed: float, done_now: int, left: int) -> float | None:
    """Seconds to the end if the rest goes at the pace of this session.

    Args:
        elapsed: seconds of this session.
        done_now: trials that this session has finished.
        left: trials still to finish.
    """
    return None if done_now == 0 else elapsed / done_now * left
