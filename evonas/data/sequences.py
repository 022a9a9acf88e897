"""A long table, a row a step, as sequences: the rows of each sample have one id."""

from __future__ import annotations

import numpy as np

from evonas.data.raw import Array, Frame, Ragged
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome.strict_yaml import short


def sequences(
    frame: Frame, name: str, order: str | None, target: str | None, origin: str
) -> tuple[Ragged, Array | None]:
    """The sequences of a long table, in the order in which their ids come first.

    Args:
        frame: columns of all steps of all samples.
        name: column of the ids.
        order: column by which the steps of a sample are sorted; None if they are in order.
        target: column of the target, which is the same in all steps of a sample; None for none.
        origin: path of the file, for messages.

    Returns:
        The sequences, (steps, channels) each, and a target for each or None. All other columns are
        channels.

    Raises:
        InvalidData: a column is missing, holds words or gaps, or a target changes within a sample.
    """
    special = [column for column in (name, order, target) if column is not None]
    issues = [_missing(frame, column, origin) for column in special if column not in frame.columns]
    channels = [column for column in frame.columns if column not in special]
    if not channels and not issues:
        issues.append(Issue("needs a column besides these: the channels.", name, origin))
    for column in channels:
        if frame.columns[column].dtype.kind not in "biuf":
            words = short(str(frame.columns[column][0]))
            message = f"must hold numbers, as a channel of sequences. Received: {words!r}."
            issues.append(Issue(message, column, origin))
    if issues:
        raise InvalidData(issues)
    ids, firsts, numbers = np.unique(frame.columns[name], return_index=True, return_inverse=True)
    rank = np.empty(len(ids), np.intp)
    rank[np.argsort(firsts)] = np.arange(len(ids))
    numbers = rank[numbers]
    keys = (numbers,) if order is None else (frame.columns[order], numbers)
    # By sample, and within a sample by the order; rows that are equal keep theirs.
    rows = np.lexsort(keys)
    values = np.stack([frame.columns[one].astype(np.float64) for one in channels], axis=1)[rows]
    starts = np.flatnonzero(np.diff(numbers[rows])) + 1
    ragged = Ragged(np.split(values, starts))
    if target is None:
        return ragged, None
    found = frame.columns[target][rows]
    begins = np.concatenate([[0], starts])
    same = found == np.repeat(found[begins], np.diff([*begins, len(found)]))
    if not same.all():
        row = int(np.argmin(same))
        sample = frame.columns[name][rows][row]
        message = (
            f"must be the same in all steps of a sample. Received: {found[row]} beside another, in"
            f" the sample {sample}."
        )
        raise InvalidData(Issue(message, target, origin))
    return ragged, found[begins]


def _missing(frame: Frame, column: str, origin: str) -> Issue:
    allowed = ", ".join(frame.columns)
    hint = did_you_mean(column, tuple(frame.columns))
    return Issue(f"there is no such column. Allowed: {allowed}.{hint}", column, origin)
