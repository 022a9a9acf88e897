"""Failures in a row: many of one cause are no property of the networks, and stop the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.errors import RepeatedFailures
from evonas.invocation import command
from evonas.trial import Attempt, Trial, TrialState
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


@dataclass(frozen=True)
class Stop:
    """A run is stopped by failures in a row.

    Attributes:
        detail: what the record keeps of it: `told`, `state`, `why`.
        error: the exception with which the session ends.
    """

    detail: Mapping[str, Any]
    error: RepeatedFailures


class FailuresInARow:
    """The trials told last that all failed for one cause; duplicates do not count.

    The count continues if an earlier session was killed. It begins anew after a stop.

    Args:
        limit: number of failures in a row that stops the run.
        stops: details of earlier stops of the run.
    """

    def __init__(self, limit: int, stops: Sequence[Mapping[str, Any]] = ()) -> None:
        self._limit = limit
        self._stops = stops
        self._failed: list[Trial] = []

    def restore(self, told: Sequence[Trial]) -> str:
        """Count what earlier sessions were told, since the last stop.

        Args:
            told: trials, in the order of the telling.

        Returns:
            Why the last session was stopped, if nothing was told since then; otherwise nothing.
        """
        self._failed = []
        # The user has seen the cause of a stop. With the old count a resume would stop again at
        # once, before it has tried anything.
        counted_from = max((stop["told"] for stop in self._stops), default=0)
        for trial in told[counted_from:]:
            self.count(trial)
        if self._stops and counted_from == len(told):
            why: str = self._stops[-1].get("why", "")
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

    def stop(
        self, told: int, root: Path, attempts: Callable[[int], Sequence[Attempt]]
    ) -> Stop | None:
        """What stops the run, if there are too many.

        Args:
            told: number of trials that are told.
            root: directory of the run.
            attempts: gives all attempts at a trial. The last one says what happened.
        """
        if len(self._failed) < self._limit:
            return None
        last = self._failed[-1].id
        attempt = attempts(last)[-1]
        lines = (attempt.details.log or "").splitlines()
        log = "".join(f"\n    {excerpt(line)}" for line in lines)
        failed = counted(len(self._failed), "trial")
        why = f"{failed} in a row ended as `{attempt.state}`"
        said = f"trial {last} said: {excerpt(attempt.message)}"
        replay = command("replay", root, last)
        error = RepeatedFailures(
            f"{why}, so the cause is probably not the networks."
            f" `{replay}` trains the last one in the foreground."
            " Mend the cause first. A resume goes on with the trials that follow, and what failed"
            " stays failed; a new run trains all of them again."
            f" The last one, {said}{log}"
        )
        # A resume counts from this place.
        detail = {"told": told, "state": attempt.state, "why": f"{why}; {said}"}
        return Stop(detail, error)
