"""A pool of stubs inside the driver: no processes, no waiting, and a random order of answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from evonas.evaluate.contract.pool import Finished, Pool, Progress, Report
from evonas.evaluate.contract.protocol import Job, Setup, outcome_from_json, outcome_to_json
from evonas.testing.stub_worker import PLAIN, Stub, run_stub
from evonas.trial import Outcome, TrialState


class StubPool(Pool):
    """Each `poll` ends one running job, chosen at random, with the answer of a stub worker.

    Args:
        setup: setup of the run; the stubs write their files into its directory.
        capacity: number of jobs at once.
        stub: habits of the stubs. Of the rates that need a process, only `crash` is used.
    """

    def __init__(self, setup: Setup, capacity: int = 1, stub: Stub = PLAIN) -> None:
        self._setup = setup
        self._capacity = capacity
        self._stub = stub
        self._jobs: list[Job] = []
        self._cancelled: set[int] = set()
        self._cut_short: set[int] = set()
        # not seeded: a test that relies on an order of answers must fail now and then
        self._chance = random.SystemRandom()
        self._is_closed = False

    @property
    def capacity(self) -> int:
        return self._capacity

    @property
    def running(self) -> int:
        return len(self._jobs)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if len(self._jobs) >= self._capacity:
            raise RuntimeError(f"All {self._capacity} slots are taken.")
        self._jobs.append(job)

    def poll(self, timeout: float) -> Sequence[Report]:
        if not self._jobs:
            return []
        job = self._jobs.pop(self._chance.randrange(len(self._jobs)))
        epochs: list[Report] = []
        outcome = self._answer(job, epochs)
        return [*epochs, Finished(job, outcome)]

    def _answer(self, job: Job, epochs: list[Report]) -> Outcome:
        if job.trial in self._cancelled:
            self._cancelled.remove(job.trial)
            return Outcome(TrialState.CANCELLED, message="It was cancelled.")
        if job.attempt == 0 and self._chance.random() < self._stub.crash:
            return Outcome(TrialState.CRASHED, message="The worker crashed: made up by the stub.")

        is_cut_short = job.trial in self._cut_short
        self._cut_short.discard(job.trial)

        def on_epoch(epoch: int, metrics: Mapping[str, float]) -> bool:
            epochs.append(Progress(job, epoch, metrics))
            return is_cut_short

        outcome = run_stub(self._setup, job, on_epoch, self._stub)
        # through JSON and back, as an outcome of a real worker comes
        return outcome_from_json(outcome_to_json(outcome))

    def cancel(self, trial: int) -> None:
        self._cancelled |= {job.trial for job in self._jobs if job.trial == trial}

    def cut_short(self, trial: int) -> None:
        self._cut_short |= {job.trial for job in self._jobs if job.trial == trial}

    def close(self) -> None:
        self._jobs = []
        self._is_closed = True


class TimedPool(StubPool):
    """A pool of stubs on a clock of its own: each answer takes a second, whoever waits for it."""

    def __init__(self, setup: Setup, capacity: int = 1, stub: Stub = PLAIN) -> None:
        super().__init__(setup, capacity, stub)
        self._seconds = 0.0

    @property
    def is_simulated(self) -> bool:
        return True

    @property
    def clock(self) -> Callable[[], float]:
        return lambda: self._seconds

    def restore(self, now: float, begun: Mapping[int, float]) -> None:
        self._seconds = now

    def poll(self, timeout: float) -> Sequence[Report]:
        if self.running:
            self._seconds += 1.0
        return super().poll(timeout)
