"""The pool without processes: tasks run in the driver, one by one, for tests and for debugging a network."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence

from evonas.evaluate.pool import Finished, Pool, Progress, Report
from evonas.evaluate.protocol import Setup, Task, outcome_from_json, outcome_to_json
from evonas.trial import Outcome, TrialState

OnEpoch = Callable[[int, Mapping[str, float]], None]
RunTask = Callable[[Setup, Task, OnEpoch], Outcome]


class InlinePool(Pool):
    """Runs a task inside `poll`, which therefore takes as long as the task does, and cannot be ended by a time limit.

    Args:
        setup: of the run.
        run_task: does the work; by default what a real worker does, which imports Keras into the driver.
    """

    def __init__(self, setup: Setup, run_task: RunTask | None = None) -> None:
        self._setup = setup
        self._run_task = run_task
        self._task: Task | None = None
        self._is_cancelled = False
        self._is_closed = False

    @property
    def capacity(self) -> int:
        return 1

    @property
    def running(self) -> int:
        return int(self._task is not None)

    def submit(self, task: Task) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if self._task is not None:
            raise RuntimeError("The one slot is taken.")
        self._task, self._is_cancelled = task, False

    def poll(self, timeout: float) -> Sequence[Report]:
        if self._task is None:
            return []
        task = self._task
        epochs: list[Report] = []
        if self._is_cancelled:
            outcome = Outcome(TrialState.CANCELLED, message="It was cancelled.")
        else:
            outcome = self._run(task, lambda epoch, metrics: epochs.append(Progress(task, epoch, metrics)))
        self._task = None
        return [*epochs, Finished(task, outcome)]

    def _run(self, task: Task, on_epoch: OnEpoch) -> Outcome:
        if self._run_task is None:
            from evonas.evaluate.worker import configure, run_task  # imports Keras, which this pool does on purpose

            configure(self._setup.threads)
            self._run_task = run_task
        try:
            outcome = self._run_task(self._setup, task, on_epoch)
            return outcome_from_json(outcome_to_json(outcome))  # as it would come from a process
        except Exception as error:  # the worker's border, which here is this line
            message = f"{type(error).__name__}: {error}"
            return Outcome(TrialState.ERROR, message=message, details={"log": traceback.format_exc()})

    def cancel(self, trial: int) -> None:
        self._is_cancelled |= self._task is not None and self._task.trial == trial

    def close(self) -> None:
        self._task, self._is_closed = None, True
