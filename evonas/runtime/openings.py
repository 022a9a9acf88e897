"""Openings of the test data: each one is an event of the record, noted before it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evonas.evaluate.contract.protocol import ExportJob, Job, ScoreJob
from evonas.runtime.record.news import Event
from evonas.runtime.record.record import Record

OPENED = "test data opened"
"""The kind of the event."""
FRESH = "fresh/"
"""Folder of the models that are trained with fresh seeds."""


@dataclass(frozen=True)
class Opening:
    """One time that a worker was given the test data.

    Attributes:
        at: time in seconds since 1970.
        trial: id of the trial whose network was scored.
        is_fresh: whether it was a training with a fresh seed instead of the trial's own.
    """

    at: float
    trial: int
    is_fresh: bool


def note_opening(record: Record, job: Job) -> None:
    """Note that this job opens the test data; nothing if it does not name them."""
    # Before the job: a session that is killed may have opened them.
    if isinstance(job, ExportJob) and job.arrays:
        record.event(OPENED, {"trial": job.trial, "model": job.model})
    if isinstance(job, ScoreJob):
        record.event(OPENED, {"trial": job.trial, "model": job.weights})


def openings(events: Sequence[Event]) -> list[Opening]:
    """All openings, in order.

    Args:
        events: events of the run.
    """
    found = []
    for at, kind, detail in events:
        if kind == OPENED:
            is_fresh = detail["model"].startswith(FRESH)
            found.append(Opening(at, detail["trial"], is_fresh))
    return found
