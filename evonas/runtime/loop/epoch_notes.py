"""How far the running trials are, noted in the record: once a second, however many epochs they finish."""

from __future__ import annotations

from collections.abc import Callable

from evonas.evaluate.contract.protocol import Job
from evonas.runtime.record.record import Record

NOTE_SECONDS = 1.0
"""Between two notes."""


class EpochNotes:
    """Keeps what the record has not been told yet.

    Args:
        clock: gives seconds.
    """

    def __init__(self, record: Record, clock: Callable[[], float]) -> None:
        self._record, self._clock, self._noted = record, clock, clock()
        self._reached: dict[tuple[int, int], int] = {}  # (trial, attempt) -> epochs

    def hear(self, job: Job, epoch: int) -> None:
        """A running job has finished this epoch."""
        self._reached[job.trial, job.attempt] = epoch
        if self._clock() - self._noted >= NOTE_SECONDS:
            self._record.note_epochs(self._reached)
            self._reached, self._noted = {}, self._clock()

    def drop(self, job: Job) -> None:
        """A job is over; its outcome says how many epochs it had."""
        self._reached.pop((job.trial, job.attempt), None)
