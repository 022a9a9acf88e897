"""Tells, as soon as it can be known, that a budget of time has room for few trainings only."""

from __future__ import annotations

from collections.abc import Callable

from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.progress import Progress
from evonas.trial import Outcome, Trial, TrialState
from evonas.words import counted, listed, span

FEW = 12
"""With fewer trainings, a search is hardly more than its founders."""


class FewTrainings(Observer):
    """Says it once, after as many trainings as there are workers.

    Args:
        seconds: budget of time.
        workers: number of trainings that run at once.
        folds: number of folds of the data, or None.
        tell: says a sentence to the user.
    """

    def __init__(
        self, seconds: float, workers: int, folds: int | None, tell: Callable[[str], None]
    ) -> None:
        self._seconds = seconds
        self._workers = workers
        self._folds = folds
        self._tell = tell
        self._took: list[float] = []
        self._is_told = False

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        if final and outcome.state is TrialState.OK:
            self._took.append(outcome.seconds)

    def on_progress(self, progress: Progress) -> None:
        if self._is_told or len(self._took) < self._workers:
            return
        self._is_told = True
        each = sum(self._took) / len(self._took)
        # Those of all sessions, and of what came before the search.
        spent = sum(one.amount for one in progress.spent if one.unit == "seconds")
        left = max(0.0, self._seconds - spent)
        trainings = progress.done + int(left / max(each, 1e-3) * self._workers)
        if trainings < FEW:
            self._tell(self._words(each, trainings))

    def _words(self, each: float, trainings: int) -> str:
        remedies = ["a longer budget", "fewer epochs (training.epochs)"]
        if self._folds is not None:
            remedies.append(f"one part for validation instead of {self._folds} folds (data.folds)")
        # Whole seconds: it is an estimate.
        long, budget = span(max(1, round(each))), span(self._seconds)
        return (
            f"a training takes about {long}, so that a budget of {budget} has room for about"
            f" {counted(trainings, 'training')}. What gives more: {listed(remedies)}"
        )
