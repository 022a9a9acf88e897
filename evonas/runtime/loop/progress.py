"""Progress: how far a run is, what is the best so far, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.trial import Trial


@dataclass(frozen=True)
class Spent:
    """How much of a budget is used up.

    Attributes:
        unit: `trials`, `epochs` or `seconds`.
        amount: what is done; trials are counted without duplicates.
        limit: the budget.
    """

    unit: str
    amount: float
    limit: float

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return min(1.0, self.amount / self.limit)


@dataclass(frozen=True)
class Progress:
    """A picture of the run at one moment.

    Attributes:
        generation: generation of the latest proposal.
        done: number of trials with an outcome, without duplicates.
        total: budget in trials; None if it is in epochs or seconds only.
        running: number of trials that are in a worker.
        failures: number of trials that are done and not `ok`.
        twins: number of proposals that took an earlier trial's outcome and cost nothing.
        incumbent: best trial so far; None before the first success.
        elapsed: seconds since this session began; on the virtual clock of a simulated pool.
        remaining: estimated seconds to the end; None before the first outcome of this session.
        spent: state of each budget; the one that is spent first ends the run.
    """

    generation: int
    done: int
    total: int | None
    running: int
    failures: int
    twins: int
    incumbent: Trial | None
    elapsed: float
    remaining: float | None
    spent: tuple[Spent, ...] = ()

    @property
    def share(self) -> float:
        """Spent share of the budget that is nearest to its end, in [0, 1]."""
        shares = [budget.share for budget in self.spent]
        return max(shares, default=0.0)


def estimate_remaining(elapsed: float, done_now: float, left: float) -> float | None:
    """Seconds to the end if the rest is as fast as this session was; None if it has done nothing.

    Args:
        elapsed: seconds of this session.
        done_now: what this session has done of the budget, in trials or as a share.
        left: what is still to be done, in the same unit.
    """
    if done_now <= 0:
        return None
    return elapsed / done_now * left
