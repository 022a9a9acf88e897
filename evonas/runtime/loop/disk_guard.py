"""The disk guard: holds new trials back while the disk is nearly full, and ends the session where that lasts."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from evonas.errors import DiskFailure
from evonas.evaluate.contract.protocol import Job
from evonas.runtime.loop.jobs import could_not_write
from evonas.runtime.loop.storage import Storage
from evonas.trial import Outcome, TrialState

MB = 1_000_000
LOOK_EVERY = 1.0
"""Seconds between two looks at the disk."""
PATIENCE = 30.0
"""Seconds to wait for space once nothing runs."""
SLICE = 0.25
"""Seconds between two looks at what a signal handler has noted."""

_T = TypeVar("_T")
FreeBytes = Callable[[Path], int]


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write to the disk of `path`."""
    return shutil.disk_usage(path).free


class DiskGuard:
    """Lines of defence, each of which first gives up evonas's own caches.

    Before a trial is started, the free space is compared with `storage.free_mb`: below it, none is, those that run are
    finished, and after a short wait the session ends. Where a worker could not write although there seemed to be
    space, its trial is tried again after the caches are gone; if the next one cannot write either, the session ends.
    Where the record cannot be written, it is tried once more.

    Args:
        storage: has the caches.
        free_mb: in MB of 1,000,000 bytes; 0 for no watch.
        tell: says something to the user.
        clock: monotonic seconds.
        free: measures.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        storage: Storage,
        free_mb: int = 0,
        tell: Callable[[str], None] = lambda text: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        free: FreeBytes = free_bytes,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._storage, self._floor, self._tell = storage, free_mb, tell
        self._clock, self._measure, self._sleep = clock, free, sleep
        self.is_paused = False
        self._looked = -math.inf
        self._idle_since: float | None = None
        self._has_failed = (
            False  # a worker could not write, and none that began later has succeeded
        )
        self._excused: set[tuple[int, int]] = (
            set()
        )  # attempts that ran when the caches were given up

    def may_start(self, running: Collection[Job]) -> bool:
        """Whether a trial may be started now; looks at the disk at most once a second."""
        if self._floor and self._clock() - self._looked >= LOOK_EVERY:
            self._looked = self._clock()
            self._look(running)
        return not self.is_paused

    def written(self, write: Callable[[], _T], running: Collection[Job]) -> _T:
        """What this returns; where it cannot write, it is given the room that the caches take, and one more chance."""
        try:
            return write()
        except DiskFailure:
            if not self._storage.free(running):
                raise
            return write()

    def _look(self, running: Collection[Job]) -> None:
        if self._is_low() and not self.is_paused:
            freed = self._storage.free(running)
            if self._is_low():
                self.is_paused = True
                finish = f" Finishing {len(running)} running trials." if running else ""
                self._tell(
                    f"{self._shortage()}{_given_up(freed)} No trial is started until there is more.{finish}"
                )
        elif self.is_paused and not self._is_low():
            self.is_paused, self._idle_since = False, None
            self._tell("there is space on the disk again: going on")

    def _is_low(self) -> bool:
        return self._measure(self._storage.root) < self._floor * MB

    def _shortage(self) -> str:
        free = self._measure(self._storage.root) // MB
        return (
            f"the disk is nearly full: {free} MB are free, and `storage.free_mb` is {self._floor}."
        )

    def wait(self) -> None:
        """Wait a moment for space; called while paused, once nothing runs.

        Raises:
            DiskFailure: there is still none after half a minute.
        """
        if self._idle_since is None:
            self._idle_since = self._clock()
        if self._clock() - self._idle_since >= PATIENCE:
            raise DiskFailure(
                f"{self._shortage()} Nothing is lost: make room at {self._storage.root}, or go on with another number"
                " (--set storage.free_mb=...)."
            )
        self._sleep(SLICE)

    def heard(self, job: Job, outcome: Outcome, running: Collection[Job]) -> None:
        """What came of a job that is no longer running.

        Raises:
            DiskFailure: its worker could not write, and to give up the caches has not helped.
        """
        was_running = (job.trial, job.attempt) in self._excused
        self._excused.discard((job.trial, job.attempt))
        if outcome.state is TrialState.OK and not was_running:
            self._has_failed = False
        if not could_not_write(outcome) or (self._has_failed and was_running):
            return
        if self._has_failed:
            raise DiskFailure(
                f"{outcome.message} To delete evonas's own caches has not helped. Nothing is lost: trial {job.trial}"
                f" waits in the record. Make room at {self._storage.root}, then go on."
            )
        self._has_failed = True
        self._excused = {(other.trial, other.attempt) for other in running}
        self._looked = -math.inf
        self._tell(f"a worker could not write to the disk.{_given_up(self._storage.free(running))}")


def _given_up(freed: int) -> str:
    return (
        f" Weights and checkpoints that can be made again are deleted: {freed / MB:.1f} MB."
        if freed
        else ""
    )
