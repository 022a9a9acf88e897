"""Epochs of running trials are noted once a second, the latest of each."""

from __future__ import annotations

from evonas.runtime.epoch_notes import NOTE_SECONDS, EpochNotes
from evonas.testing.tasks import make_task


class Told:
    """Takes the place of a record."""

    def __init__(self):
        self.notes = []

    def note_epochs(self, reached):
        self.notes.append(dict(reached))


def test_once_a_second_the_latest_of_each_that_still_runs():
    now, record = [0.0], Told()
    notes = EpochNotes(record, lambda: now[0])
    tasks = [make_task(trial=id, attempt=id) for id in range(3)]
    for epoch in (1, 2, 3):
        for task in tasks:
            notes.hear(task, epoch)
    assert record.notes == []
    notes.drop(tasks[1])
    now[0] += NOTE_SECONDS
    notes.hear(tasks[2], 4)
    assert record.notes == [{(0, 0): 3, (2, 2): 4}]
    now[0] += NOTE_SECONDS
    notes.hear(tasks[0], 5)
    assert record.notes[1:] == [{(0, 0): 5}], "only what is new"
