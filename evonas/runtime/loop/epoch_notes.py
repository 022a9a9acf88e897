"""How far the running trials are, noted in the record once a second."""

from __future__ import annotations

from collections.abc import Callable

from evonas.evaluate.contract.protocol import Job
from evonas.runtime.record.record import Record

NOTE_SECONDS = 1.0
"""Seconds between two notes."""


class EpochNotes:
    """Collects finished epochs until it is time to note them.

    Args:
        clock: gives seconds.
    """

    def __init__(self, record: Record, clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock
        self._noted = clock()
        # (trial, attempt) -> epochs that the record does not have yet
        self._reached: dict[tuple[int, int], int] = {}

    def hear(self, job: Job, epoch: int) -> None:
        """A running job has finished this epoch."""
        self._reached[job.trial, job.attempt] = epoch
        waited = self._clock() - self._noted
        # One transaction a second for all trials, not one an epoch: each is forced to the disk.
        if waited >= NOTE_SECONDS:
            self._record.note_epochs(self._reached)
            self._reached = {}
            self._noted = self._clock()

    def drop(self, job: Job) -> None:
        """A job is over; its outcome says how many epochs it had."""
        attempt = (job.trial, job.attempt)
        self._reached.pop(attempt, None)
