"""A long table, a row a step, as sequences: the rows of each sequence have one id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, Frame, Ragged, RawSamples
from evonas.data.tables.cells import Cells
from evonas.data.tables.roles import Wanted
from evonas.data.tables.values import beside
from evonas.errors import InvalidData, Issue
from evonas.genome.strict_yaml import short
from evonas.words import counted


@dataclass(frozen=True, eq=False)
class Steps:
    """Which row of a table is which step of which sequence.

    Attributes:
        names: (sequences,), the id of each, in the order in which they come first.
        rows: (rows,), the rows of the table, sequence by sequence and step by step.
        starts: (sequences,), where each sequence begins in `rows`.
    """

    names: Array
    rows: Array
    starts: Array

    @property
    def lengths(self) -> Array:
        """The number of steps of each sequence."""
        return np.diff([*self.starts, len(self.rows)])


def steps_of(cells: Cells, sequence: str, order: str) -> Steps:
    """The steps of the sequences in a table.

    Args:
        sequence: column of the ids.
        order: column by which the steps of a sequence are sorted; empty for the order of the table.

    Raises:
        InvalidData: an id or a place is missing, or two steps of a sequence have one place.
    """
    ids = beside(cells, sequence, "the id of a sequence", is_time=False)
    names, firsts, numbers = np.unique(ids, return_index=True, return_inverse=True)
    by_appearance = np.argsort(firsts)
    rank = np.empty(len(names), np.intp)
    rank[by_appearance] = np.arange(len(names))
    numbers = rank[numbers]
    # Without a column for it, the place of a step is that of its row.
    places: Array = np.arange(len(ids))
    if order:
        places = beside(cells, order, "the place of a step", is_time=True)
    # By sequence, and within it by place.
    rows = np.lexsort((places, numbers))
    of_row = numbers[rows]
    if wrong := _twice(cells, sequence, order, rows, of_row, places):
        raise InvalidData(wrong)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(of_row)) + 1])
    return Steps(names[by_appearance], rows, starts)


def _twice(
    cells: Cells, sequence: str, order: str, rows: Array, of_row: Array, places: Array
) -> list[Issue]:
    """An issue for the first two steps of a sequence that have one place."""
    sorted_places = places[rows]
    same = (np.diff(of_row) == 0) & (np.diff(sorted_places) == 0)
    if not same.any():
        return []
    row = int(rows[int(np.argmax(same)) + 1])
    value = short(str(cells.frame[order][row]))
    name = short(str(cells.frame[sequence][row]))
    message = (
        f"holds {value} twice in the sequence {name!r}, and each step needs a place of its own."
        f" The second one is {cells.place(row)}."
    )
    return [Issue(message, short(order), cells.origin, cells.line(row))]


def channels(cells: Cells, x: RawSamples, steps: Steps) -> Ragged:
    """The sequences, (steps, channels) each.

    Args:
        x: features of all rows.

    Raises:
        InvalidData: a feature holds words or a gap.
    """
    if not isinstance(x, Frame):
        message = "sequences need columns of numbers, and the texts are the whole input."
        raise InvalidData(Issue(message, file=cells.origin))
    issues = []
    for name, column in x.columns.items():
        if column.dtype.kind not in "biuf":
            message = (
                "holds words, and a channel of sequences must hold numbers. To leave it out, write"
                f" `columns: {{{short(name)}: ignore}}` in `data`."
            )
            issues.append(Issue(message, short(name), cells.origin))
        elif np.isnan(column).any():
            row = int(np.argmax(np.isnan(column)))
            message = (
                f"has a gap {cells.place(row)}, and a channel of sequences must have a value in"
                " each row. Fill it, or leave the row out."
            )
            issues.append(Issue(message, short(name), cells.origin, cells.line(row)))
    if issues:
        raise InvalidData(issues)
    values = np.stack([column.astype(np.float64) for column in x.columns.values()], axis=1)
    return Ragged(np.split(values[steps.rows], steps.starts[1:]))


def one_each(cells: Cells, values: Array, steps: Steps, names: Sequence[str]) -> Array:
    """One value for each sequence, of an array with one for each row.

    Args:
        values: (rows,), or (rows, columns).
        names: names of the columns, for messages.

    Raises:
        InvalidData: a value changes within a sequence.
    """
    found = values[steps.rows]
    firsts = found[steps.starts]
    differs = (found != np.repeat(firsts, steps.lengths, axis=0)).reshape(len(found), -1)
    if differs.any():
        place, column = (int(number) for number in np.argwhere(differs)[0])
        row = int(steps.rows[place])
        number = int(np.searchsorted(steps.starts, place, side="right")) - 1
        pair = [one.reshape(-1)[column] for one in (firsts[number], found[place])]
        told = " and ".join(short(str(one)) for one in pair)
        message = (
            f"must be the same in all rows of a sequence. Received: {told} in the sequence"
            f" {short(str(steps.names[number]))!r}, the second one {cells.place(row)}."
        )
        raise InvalidData(Issue(message, short(names[column]), cells.origin, cells.line(row)))
    return firsts


def by_sequence(rows: Arrays, cells: Cells, wanted: Wanted) -> Arrays:
    """The arrays of a table's rows as those of its sequences.

    Args:
        rows: samples, targets and what is beside them, of each row.

    Raises:
        InvalidData: as `steps_of`, `channels` and `one_each`. All issues at once.
    """
    steps = steps_of(cells, wanted.sequence, wanted.order)
    issues = _without_steps(cells, wanted, steps)
    found: dict[str, Any] = {}
    try:
        found["x"] = channels(cells, rows.x, steps)
    except InvalidData as error:
        issues += error.problems
    for key, names in (
        ("y", rows.target_names),
        ("groups", (wanted.group,)),
        ("time", (wanted.time,)),
        ("sample_weight", (wanted.sample_weight,)),
    ):
        values = getattr(rows, key)
        if values is None:
            continue
        try:
            found[key] = one_each(cells, values, steps, names)
        except InvalidData as error:
            issues += error.problems
    if issues:
        raise InvalidData(issues)
    return replace(rows, **found, notes=(*rows.notes, about(steps, wanted)))


def _without_steps(cells: Cells, wanted: Wanted, steps: Steps) -> list[Issue]:
    """An issue if no sequence has a second step: it is another column that has the ids."""
    if (steps.lengths > 1).any():
        return []
    message = (
        f"each of the {len(steps.rows):,} rows has an id of its own, so there are no steps. The"
        " rows of a sequence have one id."
    )
    return [Issue(message, short(wanted.sequence), cells.origin)]


def about(steps: Steps, wanted: Wanted) -> str:
    """What was made of the rows, in a sentence."""
    lengths = steps.lengths
    order = f"by the column {short(wanted.order)}" if wanted.order else "as the rows are"
    return (
        f"column {short(wanted.sequence)}: its {counted(len(steps.names), 'value')} are sequences"
        f" of {lengths.min():,} to {lengths.max():,} steps, in order {order}; a row is a step"
    )
