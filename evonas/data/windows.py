"""Windows of a series: from rows in order of time to samples of a forecast.

A sample is a window of the past. Its targets are the values of the next steps:

    rows     0  1  2  3  4  5  6  7
    sample 0 [window  ] [steps]
    sample 1    [window  ] [steps]

Neighbouring samples overlap. So a split is in order of time, and between two parts it leaves out
the samples whose targets reach into the later part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from evonas.data.arrays import GIVEN, Arrays
from evonas.data.checks import check_names
from evonas.data.raw import Array, Frame
from evonas.data.splits import Chronological, Given, Part, Parts, Split
from evonas.data.tables.told import LEFT_OUT
from evonas.errors import InvalidData, Issue
from evonas.memory import Memory
from evonas.words import counted, listed, size

UNEVEN = 1.5
"""Times of a median step by which two rows may be apart untold."""


@dataclass(frozen=True)
class Horizon:
    """What a forecast sees, and how far it goes.

    Attributes:
        window: number of rows of the past in a sample.
        steps: number of rows to forecast.
    """

    window: int
    steps: int = 1


@dataclass(frozen=True, eq=False)
class Windows:
    """Samples of a forecast.

    Attributes:
        arrays: x (samples, window, channels) and y (samples, steps * series). The series' own past
            are the last channels.
        rows: (samples,), the row of `x` at which the targets of each sample begin.
        notes: sentences for the user.
    """

    arrays: Arrays
    rows: Array
    notes: tuple[str, ...]


def windowed(arrays: Arrays, horizon: Horizon, memory: Memory) -> Windows:
    """The samples of a forecast of `y`, from rows in order of time.

    Rows with a gap (NaN) are allowed: windows with a gap are left out.

    Args:
        arrays: `x` (n,) or (n, channels), or a frame of numbers, and `y` (n,) or (n, series).
            Columns of `x` that are those of `y` count once. With an array `time`, the rows are
            sorted by it.
        memory: tells how much memory is free.

    Raises:
        InvalidData: these are no rows of numbers, too few rows, or more windows than memory holds.
    """
    arrays = replace(arrays, **_matrices(arrays))
    if issues := _wrong_rows(arrays):
        raise InvalidData(issues)
    named = arrays.named()
    order = np.arange(len(arrays.y))
    if arrays.time is not None:
        order = np.argsort(arrays.time, kind="stable")
    pair = (named["x"][order], arrays.y[order])
    x, y, rows = _cut(*pair, horizon, "x", arrays.origin, memory)
    found: dict[str, Any] = {"x": x, "y": y}
    for beside in ("time", "sample_weight"):
        array = named.get(beside)
        # A sample is of the moment at which its targets begin.
        found[beside] = None if array is None else array[order][rows]
    for x_name, y_name in GIVEN.values():
        if x_name in named:
            pair = (named[x_name], named[y_name])
            found[x_name], found[y_name], _ = _cut(*pair, horizon, x_name, arrays.origin, memory)
    possible = len(order) - horizon.window - horizon.steps + 1
    notes = [_about_channels(arrays, x.shape[-1], horizon), *_about_steps(arrays.time, order)]
    if left_out := possible - len(rows):
        notes.append(
            f"x: {counted(left_out, 'window has', 'windows have')} a gap and are left out."
        )
    # The names are those of the series, and not of the columns of these targets.
    return Windows(replace(arrays, **found, target_names=()), rows, tuple(notes))


def channels_of(arrays: Arrays) -> Array:
    """What a forecast sees of each row, (n, channels): other columns, and last the targets' past.

    Raises:
        InvalidData: these are no rows of numbers.
    """
    arrays = replace(arrays, **_matrices(arrays))
    if issues := _wrong_rows(arrays):
        raise InvalidData(issues)
    series = arrays.y.reshape(len(arrays.y), -1).astype(np.float64)
    found: Array = np.concatenate([_others(arrays.named()["x"], series), series], axis=1)
    return found if arrays.time is None else found[np.argsort(arrays.time, kind="stable")]


def whole_windows(channels: Array, window: int) -> tuple[Array, Array]:
    """All windows of rows without a gap, (n, window, channels) of 32-bit floats; and the first row
    of each, (n,)."""
    if len(channels) < window:
        return np.empty((0, window, channels.shape[1]), np.float32), np.empty(0, np.intp)
    samples = sliding_window_view(channels, window, axis=0).transpose(0, 2, 1)
    first = np.flatnonzero(_whole(channels, window))
    return samples[first].astype(np.float32), first


def windows_of(
    arrays: Arrays, horizon: Horizon | None, split: Split | None, memory: Memory
) -> tuple[Arrays, Array | None, tuple[str, ...]]:
    """The samples of a forecast, the row at which the targets of each begin, and notes.

    Without a horizon, the arrays stay as they are, and there are no rows.

    Raises:
        InvalidData: there are no samples to be made, or they cannot be split so.
    """
    if horizon is None:
        if arrays.x is arrays.y:
            raise InvalidData(_of_a_forecast(arrays))
        return arrays, None, ()
    if wrong := split_problem(split):
        raise InvalidData(Issue(wrong, "data.split"))
    windows = windowed(arrays, horizon, memory)
    return windows.arrays, windows.rows, windows.notes


def _of_a_forecast(arrays: Arrays) -> Issue:
    """An issue for targets that only their own past could tell, in another task."""
    allowed = "`task: forecasting` and `window` under `data`"
    if arrays.schema is None:
        return Issue(f"is of a forecast. Allowed: {allowed}.", "series", arrays.origin)
    left_out = [note for note in arrays.notes if LEFT_OUT in note]
    message = (
        f"no column is left to learn from. {'; '.join(left_out) or 'There are no other columns'}."
        " To take one all the same, write what it holds under `data`:  columns: {NAME: number}. For"
        f" a forecast of the target from its own past, write {allowed}."
    )
    return Issue(message, file=arrays.origin)


def split_problem(split: Split | None) -> str:
    """Why a forecast cannot be split so; empty if it can."""
    if split is None or isinstance(split, Chronological | Given):
        return ""
    return (
        "a forecast must be split in order of time: windows overlap, and the network would be"
        " judged on values that it has learned from. Allowed: chronological, given, or none."
    )


def apart(
    parts: Parts, rows: Array | None, horizon: Horizon | None
) -> tuple[Parts, tuple[str, ...]]:
    """The parts of a split without the samples whose targets reach into a later part; and notes.

    Args:
        parts: indices of samples, in order of time from part to part.
        rows: as in `Windows`; None for samples that are no windows.

    Raises:
        InvalidData: no sample is left for a part.
    """
    if rows is None or horizon is None:
        return parts, ()
    steps = horizon.steps
    kept: dict[Part, Any] = {}
    left_out = 0
    begins = {part: int(rows[indices].min()) for part, indices in parts.items() if len(indices)}
    for part, indices in parts.items():
        later = [begin for begin in begins.values() if begin > begins.get(part, 0)]
        end = min(later, default=int(rows.max()) + steps)
        within = rows[indices] + steps <= end
        kept[part] = indices[within]
        left_out += int((~within).sum())
    if empty := [part for part, indices in kept.items() if not len(indices)]:
        message = (
            f"too few rows: no sample is left for {listed(empty)}, because a later part begins"
            " before its targets end. Add rows, or forecast fewer steps."
        )
        raise InvalidData(Issue(message, "y"))
    if not left_out:
        return kept, ()
    told = counted(left_out, "sample is", "samples are")
    return kept, (f"x: {told} left out, because their targets reach into the next part.",)


def _matrices(arrays: Arrays) -> dict[str, Any]:
    """Frames as matrices with a column for each of theirs.

    Raises:
        InvalidData: columns hold words.
    """
    found = {}
    issues = []
    for key, x in arrays.samples().items():
        if not isinstance(x, Frame):
            continue
        words = [name for name, column in x.columns.items() if column.dtype.kind in "UT"]
        if words:
            message = (
                f"a forecast needs numbers, and {listed(words)} hold words. Leave such a column"
                " out, or write a column of 0 and 1 for each of its words."
            )
            issues.append(Issue(message, key, arrays.origin))
        else:
            columns = [column.astype(np.float64) for column in x.columns.values()]
            found[key] = np.stack(columns, axis=1)
    if issues:
        raise InvalidData(issues)
    return found


def _cut(
    x: Array, y: Array, horizon: Horizon, key: str, origin: str, memory: Memory
) -> tuple[Array, Array, Array]:
    """Samples, targets, and the row at which the targets of each sample begin."""
    window, steps = horizon.window, horizon.steps
    if len(y) < window + steps:
        message = (
            f"has too few rows for windows of {window} and {counted(steps, 'step')} after them."
            f" Received: {len(y):,}."
        )
        raise InvalidData(Issue(message, key, origin))
    series = y.reshape(len(y), -1).astype(np.float64)
    channels = np.concatenate([_others(x, series), series], axis=1)
    _check_room(len(y) - window, window * channels.shape[1], memory, key, origin)
    # Views: nothing is copied until the samples are split.
    samples = sliding_window_view(channels, window, axis=0)[:-steps].transpose(0, 2, 1)
    targets = sliding_window_view(series, steps, axis=0)[window:].transpose(0, 2, 1)
    is_whole = _whole(channels, window)[:-steps] & _whole(series, steps)[window:]
    rows = np.flatnonzero(is_whole) + window
    if not len(rows):
        message = f"has no window of {window} rows, and targets after it, without a gap."
        raise InvalidData(Issue(message, key, origin))
    if not is_whole.all():
        samples, targets = samples[is_whole], targets[is_whole]
    y_of_samples = targets.reshape(len(rows), -1)
    return samples, y_of_samples[:, 0] if y_of_samples.shape[1] == 1 else y_of_samples, rows


def _others(x: Array, series: Array) -> Array:
    """The columns of `x` that are no series themselves."""
    columns = x.reshape(len(x), -1).astype(np.float64)
    others = []
    for column in columns.T:
        if not any(np.array_equal(column, one, equal_nan=True) for one in series.T):
            others.append(column)
    return np.stack(others, axis=1) if others else np.empty((len(x), 0))


def _whole(values: Array, length: int) -> Array:
    """For each window of this length, whether it has no gap."""
    # How many rows with a gap there are before each row.
    gaps = np.concatenate([[0], np.cumsum(np.isnan(values).any(axis=1))])
    found: Array = gaps[length:] == gaps[:-length]
    return found


def _wrong_rows(arrays: Arrays) -> list[Issue]:
    """Issues of what must be rows of numbers; gaps are none."""
    issues = []
    for key, array in arrays.named().items():
        if key[0] not in "xy":
            continue
        if array.dtype.kind not in "biuf":
            message = f"a forecast needs numbers. Received: dtype {array.dtype}."
            issues.append(Issue(message, key, arrays.origin))
        elif array.ndim not in (1, 2) or not array.size:
            message = (
                "a forecast needs rows in order of time, with 1 axis (moments) or 2 axes (moments,"
                f" columns). Received: shape {array.shape}."
            )
            issues.append(Issue(message, key, arrays.origin))
    if issues:
        return issues
    named = arrays.named()
    pairs = [("x", "y"), *GIVEN.values(), ("x", "time"), ("x", "sample_weight")]
    for key, beside in pairs:
        if beside in named and len(named[key]) != len(named[beside]):
            message = f"needs one row for each row of {key}."
            message += (
                f" Received: {len(named[beside]):,} in {beside}, {len(named[key]):,} in {key}."
            )
            issues.append(Issue(message, beside, arrays.origin))
    issues += check_names(arrays)
    if arrays.groups is not None:
        message = "would not be read: a forecast is of one table. Leave it out."
        issues.append(Issue(message, "groups", arrays.origin))
    return issues


def _check_room(samples: int, values: int, memory: Memory, key: str, origin: str) -> None:
    """Refuses more windows than memory holds: as 32-bit floats, and copied once by the split."""
    needed = 2 * samples * values * 4
    free = memory.free()
    if needed <= free.bytes:
        return
    message = (
        f"{samples:,} windows of {values:,} values take {size(needed)} of memory."
        f" Free on {free.where}: {size(free.bytes)}. Allowed: a shorter window, or fewer columns."
    )
    raise InvalidData(Issue(message, key, origin))


def _about_channels(arrays: Arrays, channels: int, horizon: Horizon) -> str:
    """What a sample is, for whoever uses the model."""
    series = 1 if arrays.y.ndim == 1 else arrays.y.shape[1]
    names = arrays.target_names or (["the target"] if series == 1 else ["the targets"])
    others = channels - series
    before = f"the {counted(others, 'other column')} of x, then " if others else ""
    return f"x: a sample is a window of {horizon.window} rows: {before}the past of {listed(names)}."


def _about_steps(time: Array | None, order: Array) -> Iterable[str]:
    """A note if the rows are not evenly spaced in time."""
    if time is None or len(order) < 3:
        return []
    gaps = np.diff(time[order]).astype(np.float64)
    if gaps.max() <= UNEVEN * np.median(gaps):
        return []
    return ["time: rows are not evenly spaced, and a window counts rows."]
