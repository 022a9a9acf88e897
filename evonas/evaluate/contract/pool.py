"""The pool's contract: how jobs are given to a pool, and how the driver hears of them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from evonas.evaluate.contract.imports import Source
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


@dataclass(frozen=True)
class Imported:
    """Who does a job has imported code of the user's that is not as the setup says.

    Attributes:
        sources: files, by name.
    """

    job: Job
    sources: Mapping[str, Source]


Report = Progress | Imported | Finished


class Pool(ABC):
    """Runs jobs on slots. One thread of one driver owns it; it reports only jobs it was given.

    Every submitted job is reported `Finished` exactly once, whatever happens to its worker:

    * a worker whose process ends unexpectedly gives `crashed`,
    * a worker past its time limit gives `timeout`,
    * a worker that the pool itself ended gives `cancelled`.

    Code that is not as `Setup.code` says, or is not named there, is reported before the outcome of
    the first job that it does.

    An outcome is as if it had come over a pipe: every number in it is finite.
    """

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many jobs can run at once."""

    @property
    @abstractmethod
    def running(self) -> int:
        """How many jobs are submitted and not yet reported `Finished`.

        `submit` may be called only while this is below `capacity`.
        """

    @property
    def opening(self) -> str:
        """What the next `submit` will wait for, for seconds, in words; empty if for nothing."""
        return ""

    @property
    def is_simulated(self) -> bool:
        """Whether its clock is a virtual one, which says nothing of the machine's own time."""
        return False

    @property
    def clock(self) -> Callable[[], float]:
        """Gives the seconds on which the run's budget is measured; never the wall's."""
        return time.monotonic

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
        """The reports since the last poll; waits up to `timeout` seconds for the first one.

        It may return earlier, also with nothing. It returns at once while nothing runs. It returns
        so often that the caller soon sees what a signal handler has noted.
        """

    @abstractmethod
    def cancel(self, trial: int) -> None:
        """End the job of this trial, if it runs; it is reported `cancelled`."""

    @abstractmethod
    def cut_short(self, trial: int) -> None:
        """End the training of this trial with its current epoch, if it runs; never waits.

        It is reported as a success: the metrics and weights are those of its best epoch so far, and
        the metric `cut_short` has the number of its epochs. A checkpoint is left behind. A training
        that is over with that epoch anyway is not marked. A job that no worker has begun is
        reported `cancelled`. A job without epochs (an export, a function, a look-up in a table)
        runs to its end.
        """

    @abstractmethod
    def close(self) -> None:
        """End all running jobs, and every process. Idempotent; nothing is reported after it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
