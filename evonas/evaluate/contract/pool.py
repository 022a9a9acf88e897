"""The pool's contract: who runs jobs, and how the driver hears of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas.evaluate.contract.protocol import Job
from evonas.trial import Outcome


@dataclass(frozen=True)
class Progress:
    """A running job has finished an epoch."""

    job: Job
    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Finished:
    """A job is over, one way or another; its slot is free again."""

    job: Job
    outcome: Outcome


Report = Progress | Finished


class Pool(ABC):
    """Runs jobs on slots. Owned by one thread of one driver; reports only what it was given.

    Every submitted job is reported `Finished` exactly once, whatever happens to its worker: a worker that dies gives
    `crashed`, one past its time limit `timeout`, one that the pool itself ended `cancelled`. An outcome is as if it had
    come over a pipe: it holds no number that is not finite.
    """

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many jobs can run at once."""

    @property
    @abstractmethod
    def running(self) -> int:
        """How many jobs are submitted and not yet reported `Finished`; `submit` only while below `capacity`."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Give a job to a free slot.

        Raises:
            RuntimeError: no slot is free.
            NoWorker: no worker can be started.
            DiskFailure: the workers' logs cannot be written.
        """

    @abstractmethod
    def poll(self, timeout: float) -> Sequence[Report]:
        """What has happened since the last poll; waits up to `timeout` seconds for the first report.

        It may return earlier, also with nothing: at once while nothing runs, and often enough that the caller soon sees
        what a signal handler has noted.
        """

    @abstractmethod
    def cancel(self, trial: int) -> None:
        """End the job of this trial, if it runs; it is reported `cancelled`."""

    @abstractmethod
    def close(self) -> None:
        """End everything that still runs, and every process. Idempotent; nothing is reported after it."""

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
