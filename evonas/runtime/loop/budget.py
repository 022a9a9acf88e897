"""Budgets: what bounds a run, in trials, epochs and seconds, and what it has spent of them.

A trial is charged when it is asked, so that where a search ends is a function of its proposals; what is shown as spent
are the trials that are done. Twins are charged nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evonas.runtime.loop.jobs import epochs_before
from evonas.runtime.loop.progress import Spent, estimate_remaining
from evonas.trial import Trial, TrialState


@dataclass(frozen=True)
class RunLimits:
    """What bounds the loop.

    Attributes:
        trials: the budget; twins are not counted. None where it is in epochs or seconds only.
        look_ahead: proposals that may be asked and not yet told; part of what makes a run repeatable.
        twins_in_a_row: so many end the run: the strategy finds nothing new.
        failures_in_a_row: so many of one cause stop the run.
        epochs: the budget in epochs, charged when a trial is asked, less those of the training that it continues.
        seconds: the budget on the engine's clock. When they are over, nothing is begun, and what waits is cancelled.
    """

    trials: int | None
    look_ahead: int = 16
    twins_in_a_row: int = 100
    failures_in_a_row: int = 20
    epochs: int | None = None
    seconds: float | None = None


class Account:
    """What all sessions of a run have spent.

    Args:
        clock: gives seconds.
        spent: seconds that earlier sessions have spent.

    Attributes:
        charged: trials that are asked and no twins.
        done: trials with an outcome, without twins and what was cancelled.
        failures: those of them that are not `ok`.
    """

    def __init__(self, limits: RunLimits, clock: Callable[[], float], spent: float = 0.0) -> None:
        self._limits, self._clock, self._spent_before, self._started = limits, clock, spent, clock()
        self._share_before = 0.0
        self.charged = self.done = self.failures = 0
        self._charged_epochs = self._done_epochs = 0

    def begin(self) -> None:
        """What was entered so far is of earlier sessions."""
        self._share_before = self.share

    def charge(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """A trial that is no twin is asked.

        Args:
            trials: of the run, by id.
        """
        self.charged += 1
        self._charged_epochs += _cost(trial, trials)

    def enter(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """The outcome of a trial that is no twin is known; arguments as for `charge`."""
        if trial.state is TrialState.CANCELLED:
            return
        self.done += 1
        self._done_epochs += _cost(trial, trials)
        self.failures += trial.state is not TrialState.OK

    @property
    def is_spent(self) -> bool:
        """Whether one of the budgets is."""
        limits = self._limits
        of_trials = limits.trials is not None and self.charged >= limits.trials
        return (
            of_trials
            or (limits.epochs is not None and self._charged_epochs >= limits.epochs)
            or self.is_late
        )

    @property
    def is_late(self) -> bool:
        """Whether the budget in seconds is spent."""
        return self._limits.seconds is not None and self.seconds >= self._limits.seconds

    @property
    def seconds(self) -> float:
        """Spent by all sessions."""
        return self._spent_before + self.elapsed

    @property
    def elapsed(self) -> float:
        """Seconds of this session."""
        return self._clock() - self._started

    def spent(self) -> tuple[Spent, ...]:
        """What the outcomes so far have used up of each budget."""
        limits = self._limits
        return tuple(
            Spent(unit, amount, limit)
            for unit, amount, limit in (
                ("trials", self.done, limits.trials),
                ("epochs", self._done_epochs, limits.epochs),
                ("seconds", self.seconds, limits.seconds),
            )
            if limit is not None
        )

    @property
    def share(self) -> float:
        """Of the budget that is nearest to its end, in [0, 1]."""
        return max((budget.share for budget in self.spent()), default=0.0)

    @property
    def remaining(self) -> float | None:
        """Estimated seconds to the end; None before the first outcome of this session."""
        share = self.share
        return estimate_remaining(self.elapsed, share - self._share_before, 1.0 - share)


def _cost(trial: Trial, trials: Sequence[Trial]) -> int:
    """Epochs that this trial is charged: those that it adds to the training that it continues."""
    return max(0, trial.proposal.fidelity.epochs - epochs_before(trial, trials))
