"""A table of its own for the test: read as the first one was, and compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import taken
from evonas.data.tables.cells import Cells
from evonas.data.tables.compared import MOST_NAMED
from evonas.data.tables.reading import cells_like, samples_like, targets_in
from evonas.data.tables.roles import Wanted
from evonas.data.tables.schema import Schema
from evonas.data.tables.values import beside
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome.strict_yaml import short
from evonas.memory import Memory
from evonas.words import counted, listed

KEY = "data.test_path"


def with_test(arrays: Arrays, cells: Cells, wanted: Wanted, path: Path, memory: Memory) -> Arrays:
    """The arrays of a table, with another table as the test part.

    Args:
        arrays: what the table was read as.
        cells: that table as it was found.
        wanted: what the user has said of it.
        path: path of the table for the test. It has the same columns.

    Raises:
        InvalidData: it cannot be read, lacks a column, holds other values, is the same file, or has
            groups that are in the first table, too.
    """
    assert arrays.schema is not None, "a table has one"
    if path.resolve() == Path(cells.origin).resolve():
        message = "names the file of `path`: the test would be on samples that were learned."
        raise InvalidData(Issue(message, KEY, str(path)))
    schema = Schema.from_json(arrays.schema)
    other = cells_like(schema, path, memory)
    if issues := _missing(schema, cells, other):
        raise InvalidData(issues)
    y = targets_in(schema, other)
    # A series is forecast from its own past.
    x = y if arrays.x is arrays.y else samples_like(schema, other)
    are_apart = bool(wanted.group) and wanted.group in other.frame.columns
    if are_apart:
        _check_groups(cells, other, wanted.group)
    if wanted.time and wanted.time in other.frame.columns and not wanted.sequence:
        order = np.argsort(beside(other, wanted.time, "the time", is_time=True), kind="stable")
        x, y = taken(x, order), y[order]
    what = "sequence" if schema.sequence else "row"
    notes = [f"test_path: the test part is the {counted(len(y), what)} of {path.name}"]
    notes += _more(cells, other, path)
    return replace(arrays, x_test=x, y_test=y, notes=(*arrays.notes, *notes), are_apart=are_apart)


def _missing(schema: Schema, cells: Cells, other: Cells) -> list[Issue]:
    """An issue for each column that the test needs and has not."""
    names = other.frame.columns
    needed = [one.name for one in (*schema.features, *schema.targets)]
    needed += [name for name in (schema.sequence, schema.order) if name]
    issues = []
    for name in needed:
        if name in names:
            continue
        message = (
            f"lacks the column {short(name)!r}, which {Path(cells.origin).name} has, and which the"
            f" test needs.{did_you_mean(name, names)} Its columns: {_some(names)}."
        )
        issues.append(Issue(message, KEY, other.origin))
    return issues


def _check_groups(cells: Cells, other: Cells, name: str) -> None:
    """Raises InvalidData if a group is on both sides: the test would be on what was learned."""
    groups = set(beside(other, name, "the group", is_time=False).tolist())
    shared = groups & set(beside(cells, name, "the group", is_time=False).tolist())
    if shared:
        message = (
            f"has {len(shared):,} of its {counted(len(groups), 'group')} in the column"
            f" {short(name)!r} in common with {Path(cells.origin).name}, and a group must stay in"
            " one part. Leave their rows out on one side, or leave out `group`."
        )
        raise InvalidData(Issue(message, KEY, other.origin))


def _more(cells: Cells, other: Cells, path: Path) -> list[str]:
    """A note on columns that the first table has not."""
    more = [name for name in other.frame.columns if name not in cells.frame.columns]
    if not more:
        return []
    verb = "is" if len(more) == 1 else "are"
    columns = counted(len(more), "column")
    return [
        f"test_path: {columns} of {path.name} {verb} in no other file and unused: {_some(more)}"
    ]


def _some(names: Sequence[str]) -> str:
    more = len(names) - 4 * MOST_NAMED
    told = [short(name, 40) for name in names[: 4 * MOST_NAMED]]
    return listed([*told, f"{more:,} more"] if more > 0 else told)
