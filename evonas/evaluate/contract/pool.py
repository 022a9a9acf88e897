"""The pool's contract: how jobs are given to a pool, and how the driver hears of them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from evonas.evaluate.contract.protocol import Job, Setup
from evonas.evaluate.contract.user_code import Source
from evonas.settings import Settings
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


@dataclass(frozen=True)
class Worker:
    """How a worker process begins.

    Attributes:
        entry: `module:function` that it runs.
        preload: modules that are imported once for all workers, so that each begins at once.
        opening: what the preload takes seconds for, in words; empty if it takes none.
    """

    entry: str
    preload: tuple[str, ...] = ()
    opening: str = ""


Opener = Callable[[Setup, Path], "Pool"]
"""Opens a pool, as `PoolSettings.open` does."""


@dataclass(frozen=True)
class PoolSettings(Settings, ABC):
    """A pool as a config writes it: its fields are its settings in the YAML.

    Every field has a default, so that the bare name is enough. The class attributes and methods say
    what must be known before the pool is opened. All but `open` have a default.

    Class attributes:
        in_driver: whether jobs are done in the driver's own process.
        is_simulated: whether its clock is a virtual one. `Pool.is_simulated` says the same.
    """

    in_driver: ClassVar[bool] = False
    is_simulated: ClassVar[bool] = False

    @abstractmethod
    def open(self, setup: Setup, root: Path) -> Pool:
        """A new pool for the jobs of one session.

        Args:
            setup: what all jobs of the run share.
            root: directory of the run.
        """

    @contextmanager
    def preparing(self, worker: Worker) -> Iterator[Opener]:
        """Begins what takes seconds, while the caller prepares a run.

        What was begun and not opened is ended at the end of the context.

        Args:
            worker: how worker processes begin.

        Yields:
            what is to be called instead of `open`.
        """
        yield self.open

    def check(self) -> None:
        """Check what the settings alone cannot tell.

        Raises:
            NoWorker: a device that they name is missing.
        """

    @property
    def workers(self) -> int:
        """Number of trials that can run at once."""
        return 1

    @property
    def threads(self) -> int:
        """Number of threads of each worker. Results may depend on it."""
        return 1

    def environment(self) -> Mapping[str, str]:
        """Variables of the first worker's process, for one who does its work elsewhere.

        Raises:
            NoWorker: as `check`.
        """
        return {}


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
        """Gives the seconds on which the run's budget is measured; never the wall's.

        A virtual one begins at 0 with the run.
        """
        return time.monotonic

    def restore(self, now: float, begun: Mapping[int, float]) -> None:
        """Set a virtual clock to where an earlier pool of the same run was given up.

        Called before the first job, and for a virtual clock only.

        Args:
            now: seconds on the clock of the earlier pool.
            begun: when the trials that ran then had been submitted, by trial.
        """
        raise NotImplementedError(f"the clock of {type(self).__name__} is the machine's")

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
