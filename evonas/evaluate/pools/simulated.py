"""The simulated pool: results come at once, time passes on a virtual clock (as in Syne Tune)."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

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
from evonas.evaluate.contract.protocol import Job, RunJob, Setup, outcome_from_json, outcome_to_json
from evonas.evaluate.pools.in_driver import outcome_of
from evonas.trial import Outcome, TrialState

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class SimulatedSettings(PoolSettings):
    """A virtual clock on which the evaluators `table` and `python` replay their seconds.

    Attributes:
        workers: number of simulated workers.
    """

    workers: Count = 1

    in_driver = True
    is_simulated = True

    def open(self, setup: Setup, root: Path) -> Pool:
        # Before the evaluator is opened, which imports the plugins into this process.
        imports = Imports(setup.plugins, setup.code)
        judge = evaluator_in(setup).open(setup, is_simulated=True)
        return SimulatedPool(setup, self.workers, judge, imports)


@dataclass(frozen=True, order=True)
class _Running:
    """A job in a virtual worker. Two of them compare by their ends, then by their numbers.

    Attributes:
        ends: time on the virtual clock at which the job is over.
        number: how many jobs were submitted before it.
    """

    ends: float
    number: int
    job: Job = field(compare=False)
    outcome: Outcome = field(compare=False)
    epochs: tuple[Report, ...] = field(compare=False)


class SimulatedPool(Pool):
    """Does a job's work when it is submitted, and reports it when its seconds are over.

    `poll` never waits: it sets the virtual clock to the next end of a job. So a month of search on
    a thousand workers takes as long as its look-ups. The same submissions give the same reports at
    the same virtual times.

    Args:
        setup: what all jobs of the run share.
        workers: number of jobs that run at once.
        run_job: does the work, in this process. The outcome's `seconds` say how long it takes on
            the virtual clock.
        imports: notes the user's code that this process imports; by default from now on.
    """

    def __init__(
        self, setup: Setup, workers: int, run_job: RunJob, imports: Imports | None = None
    ) -> None:
        self._setup = setup
        self._imports = imports or Imports(setup.plugins, setup.code)
        self._workers = workers
        self._run_job = run_job
        self._now = 0.0
        self._begun: dict[int, float] = {}
        self._heap: list[_Running] = []
        self._submitted = 0
        self._is_closed = False

    @property
    def capacity(self) -> int:
        return self._workers

    @property
    def running(self) -> int:
        return len(self._heap)

    @property
    def is_simulated(self) -> bool:
        return True

    @property
    def clock(self) -> Callable[[], float]:
        return lambda: self._now

    def restore(self, now: float, begun: Mapping[int, float]) -> None:
        self._now = now
        self._begun = dict(begun)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if len(self._heap) >= self._workers:
            raise RuntimeError(f"All {self._workers} slots are taken.")
        epochs: list[Report] = []
        outcome = self._answer(job, epochs)
        if news := self._imports.news(outcome.state is TrialState.ERROR):
            epochs.append(Imported(job, news))
        # A job that an earlier pool had begun ends when it would have ended there.
        begun = self._begun.pop(job.trial, self._now)
        ends = begun + outcome.seconds
        running = _Running(ends, self._submitted, job, outcome, tuple(epochs))
        heapq.heappush(self._heap, running)
        self._submitted += 1

    def _answer(self, job: Job, epochs: list[Report]) -> Outcome:
        """The job's outcome. Its epochs are added to the list."""

        def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
            epochs.append(Progress(job, epoch, metrics))

        def work() -> Outcome:
            with watched(self._setup.plugins):
                outcome = self._run_job(self._setup, job, on_epoch)
            seconds = outcome.seconds
            if not (math.isfinite(seconds) and seconds >= 0):
                raise ValueError(f"seconds must be a number of at least 0. Received: {seconds}")
            return _clean(outcome)

        return outcome_of(work)

    def poll(self, timeout: float) -> Sequence[Report]:
        if not self._heap:
            return []
        first = heapq.heappop(self._heap)
        # The clock never goes back, whatever a restored job's beginning says.
        self._now = max(self._now, first.ends)
        return [*first.epochs, Finished(first.job, first.outcome)]

    def cancel(self, trial: int) -> None:
        cancelled = Outcome(TrialState.CANCELLED, message="It was cancelled.")
        for index, running in enumerate(self._heap):
            if running.job.trial == trial:
                self._heap[index] = _Running(
                    ends=self._now,
                    number=running.number,
                    job=running.job,
                    outcome=cancelled,
                    epochs=(),
                )
        heapq.heapify(self._heap)

    def cut_short(self, trial: int) -> None:
        """Nothing: its jobs are looked up or called, and have no epochs to end with."""

    def close(self) -> None:
        self._heap = []
        self._is_closed = True


def _clean(outcome: Outcome) -> Outcome:
    """The outcome as it would come from a process: without numbers that JSON cannot hold."""
    # A simulation has very many outcomes. Those that would come back as they are stay as they are.
    if not outcome.history and all(map(math.isfinite, outcome.metrics.values())):
        return outcome
    return outcome_from_json(outcome_to_json(outcome))
