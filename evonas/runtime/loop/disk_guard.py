"""The disk guard: holds new trials back while the disk is nearly full, and ends the session if
that lasts.
"""

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
from evonas.words import counted

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
    """Three lines of defence. Each of them first deletes evonas's own caches.

    1. Before a trial is started, the free space is compared with `storage.free_mb`. If it is less,
       no trial is started and the running ones are finished. After a short wait the session ends.
    2. If a worker could not write although there seemed to be space, the caches are deleted and its
       trial is tried again. If the next worker cannot write either, the session ends.
    3. If the record cannot be written, the write is tried once more.

    Args:
        storage: has the caches.
        free_mb: least free space, in MB of 1,000,000 bytes; 0 for no watch.
        tell: says something to the user.
        clock: gives monotonic seconds.
        free: measures the free bytes.
        sleep: waits for a number of seconds.
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
        self._storage = storage
        self._floor = free_mb
        self._tell = tell
        self._clock = clock
        self._measure = free
        self._sleep = sleep
        self.is_paused = False
        self._looked = -math.inf
        # Seconds that nothing ran for want of space: counted, not measured, since a driver may be
        # stopped meanwhile.
        self._waited = 0.0
        # Set when a worker could not write, until one that began later has succeeded.
        self._has_failed = False
        # Bytes that were deleted then.
        self._freed = 0
        # The attempts that ran when the caches were deleted, as (trial, attempt). They may have met
        # the full disk before that, so their failure is no proof that deleting has not helped.
        self._excused: set[tuple[int, int]] = set()

    def may_start(self, running: Collection[Job]) -> bool:
        """Whether a trial may be started now; looks at the disk at most once a second."""
        if self._floor and self._clock() - self._looked >= LOOK_EVERY:
            self._looked = self._clock()
            self._look(running)
        return not self.is_paused

    def written(self, write: Callable[[], _T], running: Collection[Job]) -> _T:
        """The result of `write`. If it cannot write, the caches are deleted and it is called again.

        Args:
            running: jobs whose files are spared.
        """
        try:
            return write()
        except DiskFailure:
            freed = self._storage.free(running)
            if not freed:
                raise
            return write()

    def _look(self, running: Collection[Job]) -> None:
        """Begin or end the pause, by the free space of this moment."""
        if self._is_low() and not self.is_paused:
            freed = self._storage.free(running)
            # The caches may have been enough; so measure again before anybody has to wait.
            if self._is_low():
                self.is_paused = True
                finish = ""
                if running:
                    finish = f" Finishing {counted(len(running), 'running trial')}."
                self._tell(
                    f"{self._shortage()}{_given_up(freed)}"
                    f" No trial is started until there is more.{finish}"
                )
        elif self.is_paused and not self._is_low():
            self.is_paused = False
            self._waited = 0.0
            self._tell("there is space on the disk again: going on")

    def _is_low(self) -> bool:
        free = self._measure(self._storage.root)
        return free < self._floor * MB

    def _shortage(self) -> str:
        """How much space is missing, as a sentence."""
        free = self._measure(self._storage.root) // MB
        return (
            f"the disk is nearly full: {free} MB are free, and `storage.free_mb` is {self._floor}."
        )

    def wait(self) -> None:
        """Wait a moment for space; called while paused, once nothing runs.

        Raises:
            DiskFailure: there is still none after half a minute.
        """
        if self._waited >= PATIENCE:
            raise DiskFailure(
                f"{self._shortage()} Nothing is lost: make room at {self._storage.root}, or go on"
                " with another number (storage.free_mb=...)."
            )
        # Short sleeps: a signal handler only notes its signal, and the engine looks in between.
        self._sleep(SLICE)
        self._waited += SLICE

    def heard(self, job: Job, outcome: Outcome, running: Collection[Job]) -> None:
        """What came of a job that is no longer running.

        Raises:
            DiskFailure: its worker could not write, although the caches had been deleted.
        """
        attempt = (job.trial, job.attempt)
        is_excused = attempt in self._excused
        self._excused.discard(attempt)
        if outcome.state is TrialState.OK and not is_excused:
            self._has_failed = False
        if not could_not_write(outcome):
            return
        if self._has_failed and is_excused:
            return
        if self._has_failed:
            raise DiskFailure(
                f"{outcome.message}{self._in_vain()} Nothing is lost: trial {job.trial} waits in"
                f" the record. Make room at {self._storage.root}, then go on."
            )
        self._has_failed = True
        self._excused = {(other.trial, other.attempt) for other in running}
        # The next start looks at the disk at once, not only after a second.
        self._looked = -math.inf
        self._freed = self._storage.free(running)
        self._tell(f"a worker could not write to the disk.{_given_up(self._freed)}")

    def _in_vain(self) -> str:
        """That deleting has not helped; empty if there was nothing to delete."""
        if not self._freed:
            return ""
        return " To delete evonas's own caches has not helped."


def _given_up(freed: int) -> str:
    """What was deleted, as a sentence after another one; empty if nothing was."""
    if not freed:
        return ""
    return f" Weights and checkpoints that can be made again are deleted: {freed / MB:.1f} MB."
