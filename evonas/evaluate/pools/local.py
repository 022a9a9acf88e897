"""The pool of this machine: one worker process a slot, supervised."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from evonas.clock import AwakeClock
from evonas.errors import NoWorker
from evonas.evaluate.contract.claims import verified
from evonas.evaluate.contract.evaluator import evaluator_in
from evonas.evaluate.contract.pool import (
    Finished,
    Opener,
    Pool,
    PoolSettings,
    Report,
    Worker,
)
from evonas.evaluate.contract.protocol import Job, Setup, encode
from evonas.evaluate.local.data_room import data_room
from evonas.evaluate.local.devices import DeviceShare, device_shares, inventory
from evonas.evaluate.local.launcher import Launcher
from evonas.evaluate.local.launching import EarlyLauncher, start_launcher
from evonas.evaluate.local.memory_guard import MemoryGuard, MemoryLimits
from evonas.evaluate.local.slot import Phase, Slot, SlotLimits, Starts
from evonas.evaluate.local.worker_log import WorkerLog
from evonas.memory import MIB, Memory
from evonas.streams import hold_descriptors
from evonas.words import shown

WATCH = 0.1
"""Seconds between two looks at logs, deadlines and memory while `poll` waits."""
SLICE = 0.25
"""Seconds that `poll` waits at most. So the caller soon sees what a signal handler has noted."""
IMPATIENT_SLICE = 0.01
"""Seconds between two looks at a worker whose end is near: no event tells of it."""
FAILED_STARTS = 3
"""Failed starts in a row after which another one would be pointless."""
CLOSE_LIMIT = 10.0
"""Seconds that `close` waits for the workers that it has killed."""

Count = Annotated[int, Ge(1)]
Few = Annotated[int, Ge(1), Le(1024)]


@dataclass(frozen=True)
class LocalSettings(PoolSettings):
    """Processes on this machine.

    Attributes:
        workers: number of processes; each trains one network at a time.
        devices: `auto` for all GPUs, or for the CPU if there is none; `cpu`; or a list of GPU
            numbers.
        threads: number of TensorFlow threads of each worker. Results depend on it, so that it is
            never derived from the number of workers.
        recycle_mb: growth of a worker's memory in MiB after which a fresh one takes the next trial;
            null for no limit.
        memory_mb: memory in MiB that a worker and its child processes may take. A worker that takes
            more is ended. Null for no limit.
        free_memory_mb: memory in MiB that stays free on this machine, or in the cgroup (container)
            of evonas. With less, the largest worker is ended, before the system ends another
            process. 0 for no limit.
    """

    workers: Few = 2
    devices: Literal["auto", "cpu"] | tuple[Annotated[int, Ge(0)], ...] = "auto"
    threads: Few = 1
    recycle_mb: Count | None = 1024
    memory_mb: Count | None = None
    free_memory_mb: Annotated[int, Ge(0)] = 512

    def problems(self) -> dict[str, str]:
        if self.devices == ():
            message = "must name at least one GPU; for none, write `devices: cpu`. Received: []."
            return {"devices": message}
        if isinstance(self.devices, tuple) and len(set(self.devices)) < len(self.devices):
            received = shown(list(self.devices))
            return {"devices": f"names a GPU twice. Received: {received}."}
        return {}

    def open(self, setup: Setup, root: Path) -> Pool:
        worker = evaluator_in(setup).worker
        launcher = partial(start_launcher, worker.entry, worker.preload)
        return self._opened(launcher, worker.opening, setup, root)

    @contextmanager
    def preparing(self, worker: Worker) -> Iterator[Opener]:
        if not worker.preload:
            yield self.open
            return
        hold_descriptors()
        early = EarlyLauncher(worker.entry, worker.preload)
        try:
            yield partial(self._opened, early, worker.opening)
        finally:
            early.close()

    def _opened(
        self, launcher: Callable[[], Launcher], opening: str, setup: Setup, root: Path
    ) -> LocalPool:
        return LocalPool(
            setup,
            self._shares(),
            launcher,
            root / "logs",
            time_limit=setup.time_limit,
            stalled_limit=setup.stalled_limit,
            memory_limits=self._memory_limits(),
            opening=opening,
        )

    def check(self) -> None:
        self._shares()

    def environment(self) -> Mapping[str, str]:
        first, *_ = self._shares()
        return first.environment()

    def _shares(self) -> list[DeviceShare]:
        """The devices of each worker.

        Raises:
            NoWorker: a device that the config names is missing.
        """
        return device_shares(self.workers, self.devices, inventory(), threads=self.threads)

    def _memory_limits(self) -> MemoryLimits:
        """In bytes; the config has them in MiB."""
        growth = None
        if self.recycle_mb is not None:
            growth = self.recycle_mb * MIB
        worker = None
        if self.memory_mb is not None:
            worker = self.memory_mb * MIB
        return MemoryLimits(growth, worker, self.free_memory_mb * MIB)


class LocalPool(Pool):
    """Runs jobs in processes of this machine. A worker may crash, hang, stop or send nonsense.

    A worker is started with the first job of its slot, and gets one job at a time. It is replaced
    after `recycle_after` jobs, because plugins may leak, and after any outcome that may be its own
    fault. Limits are checked in `poll` and `submit`. If the driver is busy elsewhere, they are
    checked later. Time in which the driver was stopped is charged to nobody.

    Args:
        setup: message that each worker gets at its start.
        shares: device shares; each has one slot and so one worker.
        launcher: starts the processes; or a function that makes it, called at the first job. The
            pool closes it.
        logs: folder of the workers' logs, `worker-<slot>.log`.
        time_limit: seconds of one training; None for no limit. On `clock`, as all times here.
        start_limit: seconds of a worker's start.
        recycle_after: number of jobs after which a worker is replaced.
        stalled_limit: seconds of a training without a sign of life; None for no limit.
        memory_limits: limits of the workers and of the host.
        memory: reads what the workers take and what the host has left.
        opening: what making the launcher takes seconds for, in words.
        clock: seconds in which the driver runs.
    """

    def __init__(
        self,
        setup: Setup,
        shares: Sequence[DeviceShare],
        launcher: Launcher | Callable[[], Launcher],
        logs: Path,
        time_limit: float | None = None,
        start_limit: float = 120.0,
        recycle_after: int = 20,
        *,
        stalled_limit: float | None = None,
        memory_limits: MemoryLimits = MemoryLimits(),  # noqa: B008 - frozen
        memory: Memory | None = None,
        opening: str = "",
        clock: AwakeClock | None = None,
    ) -> None:
        self._clock = clock or AwakeClock()
        self._setup = setup
        self._launcher = launcher
        self._opening = opening
        self._starts = Starts()
        self._reports: list[Report] = []
        self._is_closed = False
        memory = memory or Memory()
        self._guard = MemoryGuard(memory_limits, memory)
        room = data_room(memory_limits, shares, memory.free().bytes)
        greeting = encode({"setup": replace(setup, most_data=room).to_json()})
        limits = SlotLimits(
            job=time_limit,
            stalled=stalled_limit,
            start=start_limit,
            jobs=recycle_after,
            growth=memory_limits.growth,
        )
        self._slots: list[Slot] = []
        for share in shares:
            log = WorkerLog(logs / f"worker-{share.number}.log")
            self._slots.append(Slot(share, log, greeting, limits, self._starts, memory))

    @property
    def capacity(self) -> int:
        return len(self._slots)

    @property
    def running(self) -> int:
        unreported = sum(isinstance(report, Finished) for report in self._reports)
        working = sum(slot.job is not None for slot in self._slots)
        return unreported + working

    @property
    def opening(self) -> str:
        return "" if isinstance(self._launcher, Launcher) else self._opening

    @property
    def clock(self) -> Callable[[], float]:
        return self._clock

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if self.running >= self.capacity:
            raise RuntimeError(f"All {self.capacity} slots are taken.")
        # An idle worker may have ended meanwhile.
        self._advance()
        if self._starts.failed >= FAILED_STARTS:
            failed = f"{self._starts.failed} workers in a row could not be started."
            raise NoWorker(f"{failed} {self._starts.why}")
        # A retry must not meet a worker that has worked before.
        slot = self._free_slot(fresh=job.attempt > 0)
        launcher = self._open_launcher()
        slot.assign(job, launcher, self._clock())

    def _free_slot(self, fresh: bool) -> Slot:
        """A free slot, with an idle worker if there is one.

        Args:
            fresh: True for a slot without a worker instead.
        """
        # There may be no free slot at first, if an idle worker has just ended. But it cannot take
        # for ever: a slot gives up a worker that cannot be ended.
        while True:
            free = [slot for slot in self._slots if slot.phase.is_free]
            empty = [slot for slot in free if slot.phase is Phase.EMPTY]
            idle = [slot for slot in free if slot.phase is Phase.IDLE]
            if idle and not fresh:
                return idle[0]
            if empty:
                return empty[0]
            if idle:
                idle[0].kill(self._clock())
            time.sleep(IMPATIENT_SLICE)
            self._advance()

    def poll(self, timeout: float) -> Sequence[Report]:
        self._advance()
        deadline = time.monotonic() + min(timeout, SLICE)
        while not self._reports and self.running and (left := deadline - time.monotonic()) > 0:
            self._wait(left)
            self._advance()
        reports = self._reports
        self._reports = []
        return reports

    def cancel(self, trial: int) -> None:
        for slot in self._slots:
            job = slot.job
            if job is not None and job.trial == trial:
                slot.cancel(self._clock())

    def cut_short(self, trial: int) -> None:
        for slot in self._slots:
            job = slot.job
            if job is not None and job.trial == trial:
                slot.cut_short(self._clock())

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        # All are killed before one is waited for: so they end at the same time.
        for slot in self._slots:
            slot.kill(self._clock())
        deadline = self._clock() + CLOSE_LIMIT
        while any(slot.channel is not None for slot in self._slots) and self._clock() < deadline:
            self._advance()
            time.sleep(0.002)
        for slot in self._slots:
            slot.let_go()
        if isinstance(self._launcher, Launcher):
            self._launcher.close()
        self._slots = []
        self._reports = []

    def _open_launcher(self) -> Launcher:
        if not isinstance(self._launcher, Launcher):
            # An import of seconds, in which nobody looks at the clock.
            with self._clock.at_work():
                self._launcher = self._launcher()
        return self._launcher

    def _advance(self) -> None:
        """Take in what has happened in each slot, and look at the memory if that is due."""
        for slot in self._slots:
            reports = slot.advance(self._clock())
            self._reports += verified(reports, self._setup)
        self._guard.look(self._slots, self._clock())

    def _wait(self, timeout: float) -> None:
        """Wait until a worker sends something, or until it is time for the next look."""
        timeout = min(timeout, WATCH)
        poll = select.poll()
        for slot in self._slots:
            # Its connection is not watched: what is left on it would make `poll` return at once,
            # again and again.
            if slot.is_ending:
                timeout = min(timeout, IMPATIENT_SLICE)
            elif slot.channel is not None:
                poll.register(slot.channel.fileno(), slot.channel.events)
        poll.poll(timeout * 1000)  # milliseconds
