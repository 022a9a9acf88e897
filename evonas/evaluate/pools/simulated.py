"""The simulated pool: results are had at once, and their seconds replayed on a virtual clock (as in Syne Tune)."""

from __future__ import annotations

import heapq
import math
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evonas.evaluate.contract.pool import Finished, Pool, Progress, Report
from evonas.evaluate.contract.protocol import Job, RunJob, Setup, outcome_from_json, outcome_to_json
from evonas.trial import Outcome, TrialState


@dataclass(frozen=True, order=True)
class _Running:
    """A job in a virtual worker, in the order of completion; of those that end at once, the first submitted is
    first."""

    ends: float
    number: int
    job: Job = field(compare=False)
    outcome: Outcome = field(compare=False)
    epochs: tuple[Report, ...] = field(compare=False)


class SimulatedPool(Pool):
    """Does a task's work when it is submitted, in this process, and reports it when its seconds are over.

    `poll` never waits: it advances the virtual clock to the next completion, so that a month of search on a thousand
    workers takes as long as its look-ups. The same submissions give the same reports at the same virtual times.

    Args:
        setup: of the run.
        workers: how many jobs run at once.
        run_task: does the work; the outcome's `seconds` say how long it takes on the virtual clock.
    """

    def __init__(self, setup: Setup, workers: int, run_job: RunJob) -> None:
        self._setup, self._workers, self._run_job = setup, workers, run_job
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
    def now(self) -> float:
        """Seconds on the virtual clock, from 0 at the run's beginning."""
        return self._now

    def restore(self, now: float, begun: Mapping[int, float]) -> None:
        """Go on where another pool of the same run was given up.

        Args:
            now: its clock.
            begun: of the trials that ran then, when each had been submitted.
        """
        self._now, self._begun = now, dict(begun)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if len(self._heap) >= self._workers:
            raise RuntimeError(f"All {self._workers} slots are taken.")
        epochs: list[Report] = []
        outcome = self._answer(job, epochs)
        ends = self._begun.pop(job.trial, self._now) + outcome.seconds
        heapq.heappush(self._heap, _Running(ends, self._submitted, job, outcome, tuple(epochs)))
        self._submitted += 1

    def _answer(self, job: Job, epochs: list[Report]) -> Outcome:
        try:
            outcome = self._run_job(
                self._setup,
                job,
                lambda epoch, metrics: epochs.append(Progress(job, epoch, metrics)),
            )
            if not (math.isfinite(outcome.seconds) and outcome.seconds >= 0):
                raise ValueError(
                    f"seconds must be a number of at least 0. Received: {outcome.seconds}"
                )
            return _clean(outcome)
        except Exception as error:  # the worker's border, which here is this line
            message = f"{type(error).__name__}: {error}"
            return Outcome(
                TrialState.ERROR, message=message, details={"log": traceback.format_exc()}
            )

    def poll(self, timeout: float) -> Sequence[Report]:
        if not self._heap:
            return []
        first = heapq.heappop(self._heap)
        self._now = max(self._now, first.ends)
        return [*first.epochs, Finished(first.job, first.outcome)]

    def cancel(self, trial: int) -> None:
        cancelled = Outcome(TrialState.CANCELLED, message="It was cancelled.")
        self._heap = [
            _Running(self._now, entry.number, entry.job, cancelled, ())
            if entry.job.trial == trial
            else entry
            for entry in self._heap
        ]
        heapq.heapify(self._heap)

    def close(self) -> None:
        self._heap, self._is_closed = [], True


def _clean(outcome: Outcome) -> Outcome:
    """As it would come from a process; where nothing would change on that way, the way is spared."""
    if not outcome.history and all(map(math.isfinite, outcome.metrics.values())):
        return outcome
    return outcome_from_json(outcome_to_json(outcome))
