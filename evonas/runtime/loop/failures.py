"""Failures in a row: many of one cause are no property of the networks, and stop the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evonas.errors import RepeatedFailures
from evonas.invocation import command
from evonas.runtime.record.record import Record
from evonas.trial import Trial, TrialState
from evonas.words import counted, excerpt

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
    """The trials told last that all failed for one cause; duplicates do not count.

    The count continues if an earlier session was killed. It begins anew after a stop.

    Args:
        limit: number of failures in a row that stops the run.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failed: list[Trial] = []

    def restore(self, told: Sequence[Trial], events: Sequence[tuple[float, str, Any]]) -> str:
        """Count what earlier sessions were told, since the last stop.

        Args:
            told: trials, in the order of the telling.
            events: events of the record.

        Returns:
            Why the last session was stopped, if nothing was told since then; otherwise nothing.
        """
        self._failed = []
        stops = [detail for _, kind, detail in events if kind == STOPPED]
        # The user has seen the cause of a stop. With the old count a resume would stop again at
        # once, before it has tried anything.
        counted_from = max((stop["told"] for stop in stops), default=0)
        for trial in told[counted_from:]:
            self.count(trial)
        if stops and counted_from == len(told):
            why: str = stops[-1].get("why", "")
            return why
        return ""

    def count(self, trial: Trial) -> None:
        """This trial is told."""
        # A duplicate has only copied an outcome. It says nothing new about the machine.
        if trial.twin_of is not None:
            return
        if trial.state not in FAILURES_OF_ONE_CAUSE:
            self._failed = []
            return
        is_same_cause = bool(self._failed) and self._failed[-1].state == trial.state
        before = self._failed if is_same_cause else []
        self._failed = [*before, trial]

    def check(self, record: Record, told: int) -> None:
        """Stop the run if there are too many, and note in the record why.

        Args:
            told: number of trials that are told.

        Raises:
            RepeatedFailures: there are too many.
        """
        if len(self._failed) < self._limit:
            return
        last = self._failed[-1].id
        attempt = record.attempts(last)[-1]
        lines = attempt.details.get("log", "").splitlines()
        log = "".join(f"\n    {excerpt(line)}" for line in lines)
        failed = counted(len(self._failed), "trial")
        why = f"{failed} in a row ended as `{attempt.state}`"
        said = f"trial {last} said: {excerpt(attempt.message)}"
        replay = command("replay", record.path.parent, last)
        # The event comes before the exception: a resume counts from the place that it names.
        detail = {"told": told, "state": attempt.state, "why": f"{why}; {said}"}
        record.event(STOPPED, detail)
        raise RepeatedFailures(
            f"{why}, so the cause is probably not the networks."
            f" `{replay}` trains the last one in the foreground."
            " Mend the cause first. A resume goes on with the trials that follow, and what failed"
            " stays failed; a new run trains all of them again."
            f" The last one, {said}{log}"
        )
