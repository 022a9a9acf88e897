"""Epochs of running trials are noted once a second, the latest of each."""

from __future__ import annotations

from evonas.runtime.loop.epoch_notes import NOTE_SECONDS, QUIET_SECONDS, EpochNotes
from evonas.testing.jobs import make_job


class Told:
    """Takes the place of a record."""

    def __init__(self):
        self.notes = []

    def note_epochs(self, reached):
        self.notes.append(dict(reached))


def test_once_a_second_the_latest_of_each_that_still_runs():
    now, record = [0.0], Told()
    notes = EpochNotes(record.note_epochs, lambda: now[0])
    jobs = [make_job(trial=id, attempt=id) for id in range(3)]
    for epoch in (1, 2, 3):
        for job in jobs:
            notes.hear(job, epoch)
    assert record.notes == []
    notes.drop(jobs[1])
    now[0] += NOTE_SECONDS
    notes.hear(jobs[2], 4)
    assert record.notes == [{(0, 0): 3, (2, 2): 4}]
    now[0] += NOTE_SECONDS
    notes.hear(jobs[0], 5)
    assert record.notes[1:] == [{(0, 0): 5}], "only what is new"


def test_without_epochs_the_time_is_noted_now_and_then():
    now, record = [0.0], Told()
    notes = EpochNotes(record.note_epochs, lambda: now[0])
    now[0] += QUIET_SECONDS - 0.5
    notes.wait()
    assert record.notes == []
    now[0] += 0.5
    notes.wait()
    notes.wait()
    assert record.notes == [{}]
    now[0] += NOTE_SECONDS
    notes.hear(make_job(trial=3), 7)
    now[0] += QUIET_SECONDS
    notes.wait()
    assert record.notes == [{}, {(3, 0): 7}, {}]
