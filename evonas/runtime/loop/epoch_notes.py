"""How far the running trials are, and how long the run has worked, noted while they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evonas.evaluate.contract.protocol import Job

Note = Callable[[Mapping[tuple[int, int], int]], None]

NOTE_SECONDS = 1.0
"""Seconds between two notes of epochs."""
QUIET_SECONDS = 10.0
"""Seconds after which the time is noted without an epoch: a kill then costs no more of it."""


class EpochNotes:
    """Collects finished epochs until it is time to note them.

    Args:
        note: keeps the epochs; see `Journal.note_epochs`.
        clock: gives seconds.
    """

    def __init__(self, note: Note, clock: Callable[[], float]) -> None:
        self._keep = note
        self._clock = clock
        self._noted = clock()
        # (trial, attempt) -> epochs that the record does not have yet
        self._reached: dict[tuple[int, int], int] = {}

    def hear(self, job: Job, epoch: int) -> None:
        """A running job has finished this epoch."""
        self._reached[job.trial, job.attempt] = epoch
        # One transaction a second for all trials, not one an epoch: each is forced to the disk.
        if self._clock() - self._noted >= NOTE_SECONDS:
            self._note()

    def wait(self) -> None:
        """No report has come for a while."""
        if self._clock() - self._noted >= QUIET_SECONDS:
            self._note()

    def _note(self) -> None:
        self._keep(self._reached)
        self._reached = {}
        self._noted = self._clock()

    def drop(self, job: Job) -> None:
        """A job is over; its outcome says how many epochs it had."""
        attempt = (job.trial, job.attempt)
        self._reached.pop(attempt, None)
