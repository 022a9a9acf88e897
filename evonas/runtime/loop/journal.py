"""The journal: what the engine asks of a record, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from evonas.runtime.record.past import Past
from evonas.trial import Attempt, Objective, Outcome, Trial


class Journal(Protocol):
    """Keeps what the engine does, so that another session can go on from any instant.

    A call that returns has kept everything that it was given; one that raises has kept nothing.
    `evonas.testing.JournalSuite` holds each implementation to this contract.
    """

    def resume(self, objective: Objective, limit: float | None, is_late: bool) -> Past:
        """Where the last session ended; called once, before any other call.

        If there is time, the trials that a deadline has interrupted wait again, except those that
        the strategy was told.

        Args:
            objective: objective by which the trials have their fitness.
            limit: budget in seconds. If it is the one that `cancel` was given, it is still spent.
            is_late: whether it is spent in any case.
        """

    def attempts(self, trial: int) -> Sequence[Attempt]:
        """All attempts at a trial, in order, also those of earlier sessions."""

    def commit_step(
        self,
        told: Sequence[Trial],
        asked: Sequence[Trial],
        state: Mapping[str, Any],
        before: int,
        is_last: bool = False,
        stop: Mapping[str, Any] | None = None,
    ) -> None:
        """What the strategy was told and then asked, and its state, all at once.

        Args:
            told: trials that the strategy was told, in this order.
            asked: new trials.
            state: state of the strategy after both.
            before: number of trials that had been told when `asked` were asked, `told` included.
            is_last: whether nothing more is asked unless something is given back to the budget.
            stop: why the run stops here, if failures in a row have stopped it.
        """

    def go_back(self, told: int, state: Mapping[str, Any]) -> None:
        """The strategy counts only so many trials as told, and is in this state; outcomes stay."""

    def start_attempt(self, trial: int) -> int:
        """The number of the attempt that starts now, from 0."""

    def note_epochs(self, reached: Mapping[tuple[int, int], int]) -> None:
        """How many epochs running attempts have finished, by trial and number of the attempt."""

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        """The outcome of an attempt.

        Args:
            trial: the trial after this outcome.
            number: number of the attempt.
            outcome: what the worker answered.
            final: whether the outcome is the trial's, too. Otherwise the trial waits for another
                attempt.
        """

    def cancel(self, trials: Sequence[Trial], limit: float | None) -> None:
        """The time is over: these trials, which never began, have their outcome.

        Args:
            trials: trials that are `cancelled`, and that the strategy is not told.
            limit: the budget in seconds that is spent.
        """
