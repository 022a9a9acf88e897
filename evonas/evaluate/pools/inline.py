"""The pool without processes: jobs run in the driver, for tests and for debugging a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas.evaluate.contract.evaluator import evaluator_in
from evonas.evaluate.contract.import_watch import watched
from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.contract.pool import (
    Finished,
    Imported,
    Pool,
    PoolSettings,
    Progress,
    Report,
)
from evonas.evaluate.contract.protocol import (
    Job,
    OnEpoch,
    RunJob,
    Setup,
    outcome_from_json,
    outcome_to_json,
)
from evonas.evaluate.pools.in_driver import outcome_of
from evonas.trial import Outcome, TrialState


@dataclass(frozen=True)
class InlineSettings(PoolSettings):
    """The driver trains in its own process, one network at a time: for tests and debugging."""

    in_driver = True

    def open(self, setup: Setup, root: Path) -> Pool:
        # Before the evaluator is opened, which imports the plugins into this process.
        imports = Imports(setup.plugins, setup.code)
        evaluator = evaluator_in(setup)
        # What takes seconds to open is opened by the first job.
        run_job = None if evaluator.worker.preload else evaluator.open(setup)
        return InlinePool(setup, run_job, imports)


class InlinePool(Pool):
    """Runs one job at a time, inside `poll`.

    So `poll` takes as long as the job does, and no time limit can end it. A job can be cut short
    before `poll` only; it then has one epoch. Its clock is the plain monotonic one: it cannot tell
    a job that waits from a driver that was stopped.

    Args:
        setup: what all jobs of the run share.
        run_job: does the work; None to open the setup's evaluator at the first job.
        imports: notes the user's code that this process imports; by default from now on.
    """

    def __init__(
        self, setup: Setup, run_job: RunJob | None = None, imports: Imports | None = None
    ) -> None:
        self._setup = setup
        self._imports = imports or Imports(setup.plugins, setup.code)
        self._run_job = run_job
        self._job: Job | None = None
        self._is_cancelled = False
        self._is_cut_short = False
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
        self._job = job
        self._is_cancelled = False
        self._is_cut_short = False

    def poll(self, timeout: float) -> Sequence[Report]:
        if self._job is None:
            return []
        job = self._job
        epochs: list[Report] = []

        def on_epoch(epoch: int, metrics: Mapping[str, float]) -> bool:
            epochs.append(Progress(job, epoch, metrics))
            return self._is_cut_short

        if self._is_cancelled:
            outcome = Outcome(TrialState.CANCELLED, message="It was cancelled.")
        else:
            outcome = self._run(job, on_epoch)
        self._job = None
        # After the epochs: it is the whole job that may have imported something.
        if news := self._imports.news(outcome.state is TrialState.ERROR):
            epochs.append(Imported(job, news))
        return [*epochs, Finished(job, outcome)]

    def _run(self, job: Job, on_epoch: OnEpoch) -> Outcome:
        if self._run_job is None:
            self._run_job = evaluator_in(self._setup).open(self._setup)
        run_job = self._run_job

        def work() -> Outcome:
            with watched(self._setup.plugins):
                outcome = run_job(self._setup, job, on_epoch)
            # As it would come from a process: without numbers that JSON cannot hold.
            return outcome_from_json(outcome_to_json(outcome))

        return outcome_of(work)

    def cancel(self, trial: int) -> None:
        if self._job is not None and self._job.trial == trial:
            self._is_cancelled = True

    def cut_short(self, trial: int) -> None:
        if self._job is not None and self._job.trial == trial:
            self._is_cut_short = True

    def close(self) -> None:
        self._job = None
        self._is_closed = True
