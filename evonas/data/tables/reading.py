"""From the cells of a table to samples and targets; and another file, read as a first one was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, Frame, RawSamples
from evonas.data.tables.cells import Cells, read_cells
from evonas.data.tables.disguise import disguises
from evonas.data.tables.kinds import Found, given, infer
from evonas.data.tables.long import by_sequence, channels, one_each, steps_of
from evonas.data.tables.roles import TARGET_KINDS, Wanted, targets_of
from evonas.data.tables.schema import Column, Schema
from evonas.data.tables.told import notes
from evonas.data.tables.values import beside, feature, target, weights
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome.strict_yaml import short
from evonas.memory import Memory
from evonas.words import listed

MOST_TOLD = 10
"""The most columns that a message tells of."""


def to_arrays(cells: Cells, wanted: Wanted) -> Arrays:
    """Samples and targets of a table, with what was inferred of its columns.

    Args:
        wanted: what the user says of the table.

    Returns:
        `x` is `y` itself if no other column is left: a series, to be forecast from its own past.
        With ids of sequences, these are the samples, and not the rows.

    Raises:
        InvalidData: a column is not there, or cannot be used. All issues at once.
    """
    names = targets_of(cells, wanted)
    beside_them = (wanted.group, wanted.time, wanted.sample_weight, wanted.sequence, wanted.order)
    others = {*names, *beside_them}
    remaining = [name for name in cells.frame.columns if name not in others]
    issues: list[Issue] = []
    targets = [_as_target(cells, one, len(names)) for one in _found(cells, wanted, names, issues)]
    features = _found(cells, wanted, remaining, issues)
    issues += _about_targets(cells, targets)
    if issues:
        raise InvalidData(issues)
    features = _with_text(features, wanted)
    used = [Column(one.name, one.kind, one.form) for one in features if one.kind != "ignore"]
    goals = [Column(one.name, one.kind) for one in targets]
    # Numbers may be forecast from their own past. Whether they are is known where the task is.
    are_numbers = all(one.kind == "number" for one in targets)
    is_series = not used and are_numbers and not wanted.sequence
    if not used and not is_series:
        raise InvalidData(_nothing_left(cells, features))
    schema = Schema(
        tuple(used),
        tuple(goals),
        wanted.all_gaps,
        wanted.separator,
        wanted.encoding,
        wanted.sequence,
        wanted.order,
    )
    values = _values(cells, schema.features, feature, issues)
    y = _values(cells, schema.targets, target, issues)
    if not issues:
        issues += _disguised(cells, values, y, features, wanted)
        issues += _words_among(schema, cells)
    groups = _beside(cells, wanted.group, "the group", issues)
    time = _beside(cells, wanted.time, "the time", issues)
    counts = _weights(cells, wanted.sample_weight, issues)
    if issues:
        raise InvalidData(issues)
    goal = _joined(y)
    arrays = Arrays(
        cells.origin,
        goal if is_series else _samples(schema, values),
        goal,
        groups=groups,
        time=time,
        notes=notes(cells, wanted, schema, features, goal),
        schema=schema.to_json(),
        sample_weight=counts,
        target_names=tuple(one.name for one in goals),
    )
    return by_sequence(arrays, cells, wanted) if wanted.sequence else arrays


def read_like(schema: Schema, path: Path, memory: Memory) -> RawSamples:
    """The samples of another file, in the columns and kinds of the first one.

    The targets need not be there, and other columns are left out. Nothing is inferred.

    Args:
        schema: what was decided for the first file.
        memory: tells how much memory is free.

    Returns:
        A frame, texts (n,), or sequences.

    Raises:
        InvalidData: a column is missing, or holds other values than the first file's.
    """
    return samples_like(schema, cells_like(schema, path, memory))


def targets_like(schema: Schema, path: Path, memory: Memory) -> Array:
    """The targets of another file, for its predictions to be scored.

    Raises:
        InvalidData: as `read_like`.
    """
    return targets_in(schema, cells_like(schema, path, memory))


def targets_in(schema: Schema, cells: Cells) -> Array:
    """As `targets_like`, for a table that has been read."""
    issues = _missing(cells, schema.targets)
    found = {} if issues else _values(cells, schema.targets, target, issues)
    if issues:
        raise InvalidData(issues)
    joined = _joined(found)
    if not schema.sequence:
        return joined
    steps = steps_of(cells, schema.sequence, schema.order)
    return one_each(cells, joined, steps, list(found))


def samples_like(schema: Schema, cells: Cells) -> RawSamples:
    """As `read_like`, for a table that has been read, such as a frame."""
    cells = _with_text_named(schema, cells)
    issues = _missing(cells, schema.features, _advice(schema, cells))
    special = [name for name in (schema.sequence, schema.order) if name]
    issues += _missing(cells, [Column(name, "ignore") for name in special])
    found = {} if issues else _values(cells, schema.features, feature, issues)
    if issues:
        raise InvalidData(issues)
    x = _samples(schema, found)
    if not schema.sequence:
        return x
    return channels(cells, x, steps_of(cells, schema.sequence, schema.order))


def rows_like(schema: Schema, path: Path, memory: Memory) -> Array:
    """The rows of another file for a forecast, (n, columns): features, and last the targets.

    NaN is a gap, also among the targets.

    Raises:
        InvalidData: as `read_like`.
    """
    cells = cells_like(schema, path, memory)
    goals = [Column(one.name, "number") for one in schema.targets]
    columns = [*schema.features, *goals]
    issues = _missing(cells, columns)
    found = {} if issues else _values(cells, columns, feature, issues)
    if issues:
        raise InvalidData(issues)
    return np.stack(list(found.values()), axis=1)


def cells_like(schema: Schema, path: Path, memory: Memory) -> Cells:
    """The table in another file, as it was found.

    Raises:
        InvalidData: there is no table in it.
    """
    alone = schema.alone
    return read_cells(path, memory, schema.gaps, schema.separator, schema.encoding, alone)


def _with_text_named(schema: Schema, cells: Cells) -> Cells:
    """The same table, in which a column of texts that is the only one has the name of the first.

    The user has not given the name of texts that came as a list.
    """
    columns = cells.frame.columns
    wanted = schema.features[0].name if schema.is_text else ""
    if not wanted or len(columns) != 1 or columns == [wanted]:
        return cells
    return replace(cells, frame=cells.frame.rename({columns[0]: wanted}))


def _advice(schema: Schema, cells: Cells) -> str:
    """What to do about a feature that is missing."""
    if schema.is_text:
        columns = listed([repr(short(name)) for name in cells.frame.columns[:MOST_TOLD]])
        return f" It holds the texts: give their column this name. Received: {columns}."
    return " If nothing is known of it, add an empty column of this name: its values are gaps."


def _found(cells: Cells, wanted: Wanted, names: Sequence[str], issues: list[Issue]) -> list[Found]:
    """What columns hold; what is wrong is added to the issues."""
    found = []
    for name in names:
        kind = wanted.columns.get(name)
        if name == wanted.text:
            kind = "text"
        try:
            found.append(infer(cells, name) if kind is None else given(cells, name, kind))
        except InvalidData as error:
            issues += error.problems
    return found


def _about_targets(cells: Cells, targets: Sequence[Found]) -> list[Issue]:
    """Issues of targets that hold nothing to be learned."""
    issues = []
    for one in targets:
        if one.kind in TARGET_KINDS:
            continue
        what = f"it {one.why}" if one.why else f"it holds {one.kind}s"
        message = f"cannot be the target, because {what}."
        issues.append(Issue(message, short(one.name), cells.origin))
    return issues


def _as_target(cells: Cells, one: Found, count: int) -> Found:
    """What a target holds: the words yes and no are labels, if there is no other target."""
    import polars as pl

    are_words = cells.frame[one.name].dtype == pl.String
    if one.kind == "boolean" and are_words and count == 1:
        return replace(one, kind="category")
    return one


def _with_text(features: Sequence[Found], wanted: Wanted) -> list[Found]:
    """The features, of which a text is either the only one or left out."""
    texts = [one.name for one in features if one.kind == "text"]
    others = [one.name for one in features if one.kind not in ("text", "ignore")]
    text = wanted.text
    if not text and len(texts) == 1 and not others:
        text = texts[0]
    found = []
    for one in features:
        if one.kind == "text" and one.name != text:
            why = f"holds texts; to learn from them alone, write `text: {short(one.name)}`"
            one = replace(one, kind="ignore", why=why)
        elif text and one.name != text and one.kind != "ignore":
            one = replace(one, kind="ignore", why="is beside the text, which is the whole input")
        found.append(one)
    return found


def _nothing_left(cells: Cells, features: Sequence[Found]) -> Issue:
    """An issue for a table without a feature."""
    left_out = [f"{short(one.name)}, because it {one.why}" for one in features[:MOST_TOLD]]
    reasons = "; ".join(left_out) or "there are no other columns"
    message = (
        f"no column is left to learn from. Left out: {reasons}. To take one all the same, write"
        " what it holds under `data`:  columns: {NAME: number}"
    )
    return Issue(message, file=cells.origin)


def _values(
    cells: Cells,
    columns: Sequence[Column],
    read: Callable[[Cells, Column], Array],
    issues: list[Issue],
) -> dict[str, Array]:
    """The values of columns, by name; what is wrong is added to the issues."""
    found = {}
    for column in columns:
        try:
            found[column.name] = read(cells, column)
        except InvalidData as error:
            issues += error.problems
    return found


def _samples(schema: Schema, values: Mapping[str, Array]) -> RawSamples:
    """The features as samples."""
    if schema.is_text:
        return values[schema.features[0].name]
    return Frame(values)


def _joined(targets: Mapping[str, Array]) -> Array:
    """The targets, (n,) or (n, columns)."""
    found = list(targets.values())
    return found[0] if len(found) == 1 else np.stack(found, axis=1)


def _words_among(schema: Schema, cells: Cells) -> list[Issue]:
    """An issue if one of several targets holds words."""
    words = [one.name for one in schema.targets if one.kind == "category"]
    if len(schema.targets) == 1 or not words:
        return []
    message = "is one of several targets, and these must be numbers, or 0 and 1. It holds words."
    return [Issue(message, short(words[0]), cells.origin)]


def _disguised(
    cells: Cells,
    x: Mapping[str, Array],
    y: Mapping[str, Array],
    features: Sequence[Found],
    wanted: Wanted,
) -> list[Issue]:
    """An issue for each feature that is a target in disguise."""
    open_ = {name: values for name, values in x.items() if name not in wanted.columns}
    counts = {one.name: one.distinct + bool(one.gaps) for one in features}
    kinds = {one.name: one.kind for one in features}
    issues = []
    for name, why in disguises(cells, open_, y, counts).items():
        column = short(name)
        message = (
            f"is the target in disguise: {why}. Write `columns: {{{column}: ignore}}` in `data`. If"
            " it is known before the target is, write what it holds:"
            f" `columns: {{{column}: {kinds[name]}}}`."
        )
        issues.append(Issue(message, column, cells.origin))
    return issues


def _beside(cells: Cells, name: str, role: str, issues: list[Issue]) -> Array | None:
    """A column that only a split reads; None if there is none or something is wrong."""
    if not name:
        return None
    try:
        return beside(cells, name, role, role == "the time")
    except InvalidData as error:
        issues += error.problems
        return None


def _weights(cells: Cells, name: str, issues: list[Issue]) -> Array | None:
    """What the rows count; None if they all count the same or something is wrong."""
    if not name:
        return None
    try:
        return weights(cells, name)
    except InvalidData as error:
        issues += error.problems
        return None


def _missing(cells: Cells, columns: Sequence[Column], advice: str = "") -> list[Issue]:
    """An issue for each column that is not there."""
    names = cells.frame.columns
    issues = []
    for column in columns:
        if column.name not in names:
            hint = did_you_mean(column.name, names)
            # Without quotation marks, a column named `note` would read like a kind of message.
            message = (
                f"the column {short(column.name)!r} is missing, and the model was trained with"
                f" it.{hint}{advice}"
            )
            issues.append(Issue(message, file=cells.origin))
    return issues
