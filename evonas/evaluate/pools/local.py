"""The pool of this machine: one worker process a slot, supervised."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from evonas.errors import NoWorker
from evonas.evaluate.contract.claims import verified
from evonas.evaluate.contract.pool import Finished, Pool, Report
from evonas.evaluate.contract.protocol import Job, Setup, encode
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launcher import Launcher
from evonas.evaluate.local.memory import Memory
from evonas.evaluate.local.memory_guard import MemoryGuard, MemoryLimits
from evonas.evaluate.local.slot import Phase, Slot, SlotLimits, Starts
from evonas.evaluate.local.worker_log import WorkerLog

WATCH = 0.1
"""Seconds between two looks while `poll` waits: at what they print, and when it is due at the memory."""
SLICE = 0.25
"""Seconds that `poll` waits at most, so that the caller sees within them what a signal handler has noted."""
IMPATIENT_SLICE = 0.01
"""Seconds between two looks at a worker whose end is near: no event tells of it."""
FAILED_STARTS = 3
"""Failed starts in a row after which there is no point in another."""
CLOSE_LIMIT = 10.0


class LocalPool(Pool):
    """Runs jobs in processes of this machine, and answers for them: a worker may crash, hang, stop or talk nonsense.

    A worker is started with the first job of its slot, gets one job at a time, and is replaced after
    `recycle_after` jobs (Keras leaks) and after any outcome that may be its own fault. `poll` may return before its
    timeout with nothing, at once while nothing runs, else after 0.25 s. Limits are looked at while `poll` and `submit`
    run: a driver that is busy elsewhere is late by as much.

    Args:
        setup: sent to each worker at its start.
        slots: one worker each.
        launcher: starts the processes; or what makes it, called at the first job. It is the pool's from here on, and
            closed with it.
        logs: the folder of the workers' logs, `worker-<slot>.log`.
        time_limit: seconds for one training; None for no limit. Monotonic, as all times here.
        start_limit: seconds for a worker's start.
        recycle_after: jobs.
        stalled_limit: seconds of a training without a sign of life; None for no limit.
        memory_limits: of the workers and of the host.
        memory: reads what they take.
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
    ) -> None:
        self._setup = setup
        self._launcher = launcher
        self._starts = Starts()
        self._reports: list[Report] = []
        self._is_closed = False
        greeting = encode({"setup": setup.to_json()})
        memory = memory or Memory()
        self._guard = MemoryGuard(memory_limits, memory)
        limits = SlotLimits(
            time_limit, stalled_limit, start_limit, recycle_after, memory_limits.growth
        )
        self._slots = [
            Slot(
                share,
                WorkerLog(logs / f"worker-{share.number}.log"),
                greeting,
                limits,
                self._starts,
                memory,
            )
            for share in shares
        ]

    @property
    def capacity(self) -> int:
        return len(self._slots)

    @property
    def running(self) -> int:
        unreported = sum(isinstance(report, Finished) for report in self._reports)
        return unreported + sum(slot.job is not None for slot in self._slots)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if self.running >= self.capacity:
            raise RuntimeError(f"All {self.capacity} slots are taken.")
        self._advance()  # an idle worker may have died meanwhile
        if self._starts.failed >= FAILED_STARTS:
            raise NoWorker(
                f"{self._starts.failed} workers in a row could not be started. {self._starts.why}"
            )
        slot = self._free_slot(fresh=job.attempt > 0)
        slot.assign(job, self._open_launcher(), time.monotonic())

    def _free_slot(self, fresh: bool) -> Slot:
        """A free slot, with an idle worker if there is one.

        It may take a moment: an idle worker may just have died. Slots give one up that cannot be ended.

        Args:
            fresh: a slot without a worker instead; a retry must not meet a worker that has a past.
        """
        while True:
            free = [slot for slot in self._slots if slot.is_free]
            empty = [slot for slot in free if slot.phase is Phase.EMPTY]
            if free and not fresh:
                return min(free, key=lambda slot: slot.phase is Phase.EMPTY)
            if empty:
                return empty[0]
            if free:
                free[0].kill(time.monotonic())
            time.sleep(IMPATIENT_SLICE)
            self._advance()

    def poll(self, timeout: float) -> Sequence[Report]:
        self._advance()
        deadline = time.monotonic() + min(timeout, SLICE)
        while not self._reports and self.running and (left := deadline - time.monotonic()) > 0:
            self._wait(left)
            self._advance()
        reports, self._reports = self._reports, []
        return reports

    def cancel(self, trial: int) -> None:
        for slot in self._slots:
            if slot.job is not None and slot.job.trial == trial:
                slot.cancel(time.monotonic())

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        for slot in self._slots:
            slot.kill(time.monotonic())
        deadline = time.monotonic() + CLOSE_LIMIT
        while any(slot.channel is not None for slot in self._slots) and time.monotonic() < deadline:
            self._advance()
            time.sleep(0.002)
        for slot in self._slots:
            slot.let_go()
        if isinstance(self._launcher, Launcher):
            self._launcher.close()
        self._slots, self._reports = [], []

    def _open_launcher(self) -> Launcher:
        if not isinstance(self._launcher, Launcher):
            self._launcher = self._launcher()
        return self._launcher

    def _advance(self) -> None:
        for slot in self._slots:
            self._reports += verified(slot.advance(time.monotonic()), self._setup)
        self._guard.look(self._slots, time.monotonic())

    def _wait(self, timeout: float) -> None:
        """Until a worker says something, `timeout` seconds are over, or it is time for a look."""
        timeout = min(timeout, WATCH)
        poll = select.poll()
        for slot in self._slots:
            if slot.is_ending:
                timeout = min(timeout, IMPATIENT_SLICE)
            elif slot.channel is not None:
                poll.register(slot.channel.fileno(), slot.channel.events)
        poll.poll(timeout * 1000)
