"""The pool without processes: jobs run in the driver, one by one, for tests and for debugging a network."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from evonas.evaluate.contract.pool import Finished, Pool, Progress, Report
from evonas.evaluate.contract.protocol import (
    Job,
    OnEpoch,
    RunJob,
    Setup,
    outcome_from_json,
    outcome_to_json,
)
from evonas.trial import Outcome, TrialState


class InlinePool(Pool):
    """Runs a job inside `poll`, which therefore takes as long as the job does, and cannot be ended by a time limit.

    Args:
        setup: of the run.
        run_job: does the work; by default what a real worker does, which imports Keras into the driver.
    """

    def __init__(self, setup: Setup, run_job: RunJob | None = None) -> None:
        self._setup = setup
        self._run_job = run_job
        self._job: Job | None = None
        self._is_cancelled = False
        self._is_closed = False

    @property
    def capacity(self) -> int:
        return 1

    @property
    def running(self) -> int:
        return int(self._job is not None)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if self._job is not None:
            raise RuntimeError("The one slot is taken.")
        self._job, self._is_cancelled = job, False

    def poll(self, timeout: float) -> Sequence[Report]:
        if self._job is None:
            return []
        job = self._job
        epochs: list[Report] = []
        if self._is_cancelled:
            outcome = Outcome(TrialState.CANCELLED, message="It was cancelled.")
        else:
            outcome = self._run(
                job, lambda epoch, metrics: epochs.append(Progress(job, epoch, metrics))
            )
        self._job = None
        return [*epochs, Finished(job, outcome)]

    def _run(self, job: Job, on_epoch: OnEpoch) -> Outcome:
        if self._run_job is None:
            from evonas.evaluate.local.worker import (  # imports Keras, which this pool does on purpose
                configure,
                run_job,
            )

            configure(self._setup.threads)
            self._run_job = run_job
        try:
            outcome = self._run_job(self._setup, job, on_epoch)
            return outcome_from_json(outcome_to_json(outcome))  # as it would come from a process
        except Exception as error:  # the worker's border, which here is this line
            message = f"{type(error).__name__}: {error}"
            return Outcome(
                TrialState.ERROR, message=message, details={"log": traceback.format_exc()}
            )

    def cancel(self, trial: int) -> None:
        self._is_cancelled |= self._job is not None and self._job.trial == trial

    def close(self) -> None:
        self._job, self._is_closed = None, True
