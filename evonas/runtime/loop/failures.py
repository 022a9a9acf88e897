"""Failures in a row: many of one cause are no property of the networks, and stop the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evonas.errors import RepeatedFailures
from evonas.runtime.record.record import Record
from evonas.trial import Trial, TrialState

FAILURES_OF_ONE_CAUSE = frozenset(
    {
        TrialState.ERROR,
        TrialState.CRASHED,
        TrialState.LOST,
        TrialState.TIMEOUT,
        TrialState.OOM_HOST,
        TrialState.OOM_DEVICE,
    }
)
"""Failures that, many in a row, are no property of the networks."""

STOPPED = "stopped by failures"
"""The event of a run that was stopped by failures in a row."""


class FailuresInARow:
    """Of the trials told last, those in a row that failed for one cause; twins do not count.

    The count goes on where an earlier session was killed, and begins anew after a stop.

    Args:
        limit: so many stop the run.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failed: list[Trial] = []

    def restore(self, told: Sequence[Trial], events: Sequence[tuple[float, str, Any]]) -> str:
        """Count what earlier sessions were told, since the last stop.

        Args:
            told: in the order of the telling.
            events: of the record.

        Returns:
            Why the last session was stopped, if nothing was told since then; else nothing.
        """
        stops = [detail for _, kind, detail in events if kind == STOPPED]
        counted_from = max((stop["told"] for stop in stops), default=0)
        for trial in told[counted_from:]:
            self.count(trial)
        return stops[-1].get("why", "") if stops and counted_from == len(told) else ""

    def count(self, trial: Trial) -> None:
        """This trial is told."""
        if trial.twin_of is not None:
            return
        before = self._failed if self._failed and self._failed[-1].state == trial.state else []
        self._failed = [*before, trial] if trial.state in FAILURES_OF_ONE_CAUSE else []

    def check(self, record: Record, told: int) -> None:
        """Stop the run where there are too many, and note in the record why.

        Args:
            told: how many trials are.

        Raises:
            RepeatedFailures: there are too many.
        """
        if len(self._failed) < self._limit:
            return
        last = self._failed[-1].id
        attempt = record.attempts(last)[-1]
        log = "".join(f"\n    {line}" for line in attempt.details.get("log", "").splitlines())
        why = f"{len(self._failed)} trials in a row ended as `{attempt.state}`"
        said = f"trial {last} said: {attempt.message}"  # a resume begins to count anew
        record.event(STOPPED, {"told": told, "state": attempt.state, "why": f"{why}; {said}"})
        raise RepeatedFailures(
            f"{why}, so the cause is probably not the networks."
            f" `evonas replay RUN {last}` trains the last one in the foreground."
            " Mend the cause first. A resume goes on with the trials that follow, and what failed stays failed; a new"
            f" run trains all of them again. The last one, {said}{log}"
        )
