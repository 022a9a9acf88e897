"""Progress: how far a run is, what is the best so far, and when it will be done."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from evonas.trial import Trial

LEAST = 15
"""Trials that a pace is measured on, at least: fewer would tell of single networks."""
BURSTS = 3
"""Trials of each worker that a pace is measured on, at least."""
MOST_CHANGE = 2.0
"""Factor by which the rest may be slower or faster than the latest trials."""


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
        done: number of trials with an outcome, without duplicates and those given back.
        total: budget in trials; None if it is in epochs or seconds only.
        running: number of trials that are in a worker.
        failures: number of trials that are done and not `ok`.
        given_back: number of infeasible trials that the budget does not count.
        infeasible: number of all infeasible trials, without duplicates.
        twins: number of proposals that took an earlier trial's outcome and cost nothing.
        incumbent: best trial so far; None before the first success.
        elapsed: seconds since this session began; on the virtual clock of a simulated pool.
        remaining: estimated seconds to the end; None before the first outcome of this session.
        spent: state of each budget; the one that is spent first ends the run.
        objective: name of what the incumbent is the best in.
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
    objective: str = ""
    given_back: int = 0
    infeasible: int = 0

    @property
    def share(self) -> float:
        """Spent share of the budget that is nearest to its end, in [0, 1]."""
        shares = [budget.share for budget in self.spent]
        return max(shares, default=0.0)


class Pace:
    """How fast a session gets on, learned from its recent trials.

    Later trials tend to train longer: a search finds larger networks, and they improve for longer.
    So what counts is the latest third of the trials. Those to come will be children of the good
    ones: they take more time than the latest, or less, by what their parents did. Of a search
    without known parents, half of what has changed since the beginning is expected to change once
    more.

    Args:
        workers: number of trials that run at once. With many, outcomes come in bursts.
    """

    def __init__(self, workers: int = 1) -> None:
        self._least = max(LEAST, BURSTS * workers)
        # Arrays of floats: a run may have a hundred thousand trials.
        self._times = array("d")
        self._shares = array("d")
        # Sum and number of all known costs up to each outcome.
        self._sums = array("d")
        self._counts = array("d")
        # What each trial has cost, by id; NaN if that is unknown.
        self._costs = array("d")

    def begin(self, elapsed: float, share: float) -> None:
        """The work begins: what was noted before counts no longer.

        Args:
            elapsed: seconds of the session.
            share: share of the budget that is spent.
        """
        del self._times[:], self._shares[:], self._sums[:], self._counts[:]
        self.note(elapsed, share)

    def note(
        self, elapsed: float, share: float, trial: int | None = None, cost: float = math.nan
    ) -> None:
        """An outcome has come.

        Args:
            elapsed, share: as for `begin`.
            trial: id of the trial.
            cost: seconds of a worker for what the trial was charged. NaN if they say nothing of
                other trials: of a failure, or from a session before.
        """
        self._times.append(elapsed)
        self._shares.append(share)
        is_known = not math.isnan(cost)
        before = (self._sums[-1], self._counts[-1]) if self._sums else (0.0, 0.0)
        self._sums.append(before[0] + (cost if is_known else 0.0))
        self._counts.append(before[1] + is_known)
        if trial is not None:
            missing = trial + 1 - len(self._costs)
            self._costs.extend([math.nan] * missing)
            self._costs[trial] = cost

    def remaining(self, elapsed: float, parents: Sequence[int] = ()) -> float | None:
        """Estimated seconds to the end; None before the first outcome of the session.

        Args:
            elapsed: seconds of the session at this moment.
            parents: ids of trials that those to come will resemble.
        """
        if self._shares and self._shares[-1] >= 1:
            return 0.0
        outcomes = len(self._times) - 1
        if outcomes < 1:
            return None
        whole = self._seconds_for_all(outcomes)
        if whole is None:
            return None
        latest = min(outcomes, max(self._least, outcomes // 3))
        recent = self._seconds_for_all(latest) or whole
        change = self._of_parents(parents, latest)
        if change is None:
            # The square root is half of the change, on the scale of factors.
            change = math.sqrt(recent / whole) if whole else 1.0
        change = min(max(change, 1 / MOST_CHANGE), MOST_CHANGE)
        left = (1.0 - self._shares[-1]) * recent * change
        # Between two outcomes the rest gets shorter, but not by more than the next one is worth.
        usual = (self._times[-1] - self._times[-1 - latest]) / latest
        since = min(elapsed - self._times[-1], usual)
        return max(0.0, left - since)

    def _of_parents(self, parents: Sequence[int], latest: int) -> float | None:
        """What parents have cost, as a share of what the latest outcomes have; None if unknown."""
        known = [self._costs[id] for id in parents if id < len(self._costs)]
        known = [cost for cost in known if not math.isnan(cost)]
        first = -1 - latest
        seconds = self._sums[-1] - self._sums[first]
        count = self._counts[-1] - self._counts[first]
        if not known or seconds <= 0:
            return None
        return (sum(known) / len(known)) / (seconds / count)

    def _seconds_for_all(self, latest: int) -> float | None:
        """Seconds for the whole budget at the pace of the latest outcomes; None if it is 0."""
        first = -1 - latest
        spent = self._shares[-1] - self._shares[first]
        if spent <= 0:
            return None
        return (self._times[-1] - self._times[first]) / spent
