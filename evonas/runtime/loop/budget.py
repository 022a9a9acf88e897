"""Budgets: the limits of a run in trials, epochs and seconds, and what the run has spent of them.

A trial is charged when it is asked. So the end of a search depends on its proposals only. What the
user is shown as spent are the trials that are done. Duplicates cost nothing.

An infeasible trial is given back when its outcome is known. A budget of N trials is then spent by
the first proposals of which N are not infeasible. At most as much is given back as the budget has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evonas.runtime.loop.jobs import epochs_before
from evonas.runtime.loop.progress import Pace, Progress, Spent
from evonas.trial import Trial, TrialState


def given_back(infeasible: int, trials: int | None, epochs: int | None) -> int:
    """How many of a run's infeasible trials do not count, in a run that gives them back.

    Args:
        infeasible: number of infeasible trials, without duplicates.
        trials: budget in trials, or None.
        epochs: budget in epochs, or None.
    """
    if trials is not None:
        return min(infeasible, trials)
    # A budget in seconds alone has nothing to give back.
    return 0 if epochs is None else infeasible


@dataclass(frozen=True)
class RunLimits:
    """The limits of the loop.

    Attributes:
        trials: budget in trials, without duplicates; None if it is in epochs or seconds only.
        look_ahead: number of proposals that may be asked and not yet told. It is part of what
            makes a run repeatable.
        twins_in_a_row: number of duplicates in a row that ends the run. The strategy finds nothing
            new any more.
        failures_in_a_row: number of failures in a row, of one cause, that stops the run.
        epochs: budget in epochs. A trial is charged when it is asked, without the epochs of the
            training that it continues.
        seconds: budget on the engine's clock. After that no trial is begun. Trials that run end
            with their epoch. Trials that were never begun are cancelled.
        gives_back: whether infeasible trials are given back to the budgets in trials and epochs.
    """

    trials: int | None
    look_ahead: int = 16
    twins_in_a_row: int = 100
    failures_in_a_row: int = 20
    epochs: int | None = None
    seconds: float | None = None
    gives_back: bool = False


class Account:
    """What all sessions of a run have spent.

    Args:
        clock: gives seconds.
        spent: seconds of earlier sessions.
        workers: number of trials that run at once.

    Attributes:
        charged: number of trials that were asked, without duplicates.
        infeasible: number of infeasible trials that may be given back, without duplicates.
        all_infeasible: number of infeasible trials, whether they may be given back or not.
        reserve: seconds of the budget that are kept for what comes after the search. The search has
            at least half of the budget.
        parents: ids of trials that those to come will resemble.
    """

    def __init__(
        self,
        limits: RunLimits,
        clock: Callable[[], float],
        spent: float = 0.0,
        workers: int = 1,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._spent_before = spent
        self._started = clock()
        self._pace = Pace(workers)
        self._has_begun = False
        self._charged_epochs = 0
        self._done_epochs = 0
        self._infeasible_epochs = 0
        self._ended = 0
        self._failed = 0
        self._is_late = False
        self.reserve = 0.0
        self.parents: Sequence[int] = ()
        self.charged = 0
        self.infeasible = 0
        self.all_infeasible = 0

    def begin(self) -> None:
        """The work of this session begins. All that was entered so far is of earlier sessions.

        Called again when the first worker has its job: to start workers takes seconds, which say
        nothing about the pace.
        """
        self._has_begun = True
        self._pace.begin(self.elapsed, self.share)

    def charge(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """A trial that is no duplicate is asked.

        Args:
            trials: all trials of the run, by id.
        """
        self.charged += 1
        self._charged_epochs += _cost(trial, trials)

    def enter(self, trial: Trial, trials: Sequence[Trial], seconds: float = math.nan) -> None:
        """The outcome of a trial that is no duplicate is known.

        Args:
            trials: all trials of the run, by id.
            seconds: time that a worker spent on it; NaN if that is unknown.
        """
        if trial.state is TrialState.CANCELLED:
            return
        cost = _cost(trial, trials)
        self._ended += 1
        self._done_epochs += cost
        self._failed += trial.state is not TrialState.OK
        self.all_infeasible += trial.state is TrialState.INFEASIBLE
        if self._limits.gives_back and trial.state is TrialState.INFEASIBLE:
            self.infeasible += 1
            self._infeasible_epochs += cost
        if self._has_begun:
            # A failure is over soon, and says nothing of other trainings.
            is_known = trial.state is TrialState.OK and cost > 0
            each = seconds / cost if is_known else math.nan
            self._pace.note(self.elapsed, self.share, trial.id, each)

    @property
    def given_back(self) -> int:
        """Number of infeasible trials that do not count."""
        limits = self._limits
        return given_back(self.infeasible, limits.trials, limits.epochs)

    @property
    def _epochs_given_back(self) -> int:
        """Epochs of infeasible trials that do not count."""
        limit = self._limits.epochs
        return 0 if limit is None else min(self._infeasible_epochs, limit)

    @property
    def done(self) -> int:
        """Number of trials with an outcome, without duplicates and cancelled ones.

        What was given back does not count.
        """
        return self._ended - self.given_back

    @property
    def failures(self) -> int:
        """Number of those trials that are not `ok`."""
        return self._failed - self.given_back

    @property
    def is_spent(self) -> bool:
        """Whether one of the budgets is spent."""
        return self.is_used_up or self.is_late

    @property
    def is_used_up(self) -> bool:
        """Whether the budget in trials or in epochs is spent, as far as outcomes are known."""
        limits = self._limits
        # By what is asked, not by what is done: the number of workers must not decide the end.
        if limits.trials is not None and self.charged - self.given_back >= limits.trials:
            return True
        if limits.epochs is None:
            return False
        return self._charged_epochs - self._epochs_given_back >= limits.epochs

    @property
    def gives_no_more(self) -> bool:
        """Whether the run ends because no more infeasible trials are given back."""
        limits = self._limits
        if not (limits.gives_back and self.is_used_up):
            return False
        if limits.trials is not None and self.infeasible >= limits.trials:
            return True
        return limits.epochs is not None and self._infeasible_epochs >= limits.epochs

    @property
    def is_late(self) -> bool:
        """Whether the budget in seconds is spent, up to the reserve.

        It stays so to the end of the session.
        """
        limit = self._limits.seconds
        if limit is not None and self.seconds >= limit - min(self.reserve, limit / 2):
            self._is_late = True
        return self._is_late

    def end_time(self) -> None:
        """The budget in seconds is spent, whatever the clock says."""
        self._is_late = True

    @property
    def seconds(self) -> float:
        """Seconds of all sessions."""
        return self._spent_before + self.elapsed

    @property
    def elapsed(self) -> float:
        """Seconds of this session."""
        return self._clock() - self._started

    def spent(self) -> tuple[Spent, ...]:
        """What the outcomes so far have used up of each budget."""
        limits = self._limits
        budgets = (
            ("trials", self.done, limits.trials),
            ("epochs", self._done_epochs - self._epochs_given_back, limits.epochs),
            ("seconds", self.seconds, limits.seconds),
        )
        found = []
        for unit, amount, limit in budgets:
            if limit is not None:
                found.append(Spent(unit, amount, limit))
        return tuple(found)

    @property
    def share(self) -> float:
        """Spent share of the budget that is nearest to its end, in [0, 1]."""
        shares = [budget.share for budget in self.spent()]
        return max(shares, default=0.0)

    @property
    def remaining(self) -> float | None:
        """Estimated seconds to the end; None before the first outcome of this session.

        With a budget in seconds it is never more than what is left of that. If there is no other
        budget, it is that from the beginning.
        """
        limits = self._limits
        paced = self._pace.remaining(self.elapsed, self.parents)
        if limits.seconds is None:
            return paced
        left = max(0.0, limits.seconds - self.seconds)
        if limits.trials is None and limits.epochs is None:
            return left
        return None if paced is None else min(paced, left)

    def progress(
        self,
        *,
        generation: int,
        trials: int,
        running: int,
        incumbent: Trial | None,
        objective: str,
    ) -> Progress:
        """A picture of the run at this moment; arguments as in `Progress`.

        Args:
            trials: number of all trials, with duplicates.
        """
        return Progress(
            generation=generation,
            done=self.done,
            total=self._limits.trials,
            running=running,
            failures=self.failures,
            twins=trials - self.charged,
            incumbent=incumbent,
            elapsed=self.elapsed,
            remaining=self.remaining,
            spent=self.spent(),
            objective=objective,
            given_back=self.given_back,
            infeasible=self.all_infeasible,
        )


def _cost(trial: Trial, trials: Sequence[Trial]) -> int:
    """Epochs that a trial is charged: those that it adds to the training that it continues."""
    added = trial.proposal.fidelity.epochs - epochs_before(trial, trials)
    return max(0, added)
