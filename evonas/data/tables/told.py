"""What was inferred of a table, in sentences for the user."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from evonas.data.raw import Array
from evonas.data.tables.cells import Cells
from evonas.data.tables.kinds import Found
from evonas.data.tables.roles import Wanted
from evonas.data.tables.schema import Schema
from evonas.genome.strict_yaml import short
from evonas.words import counted, listed

LEFT_OUT = "left out, because"
"""What the sentence on a column says that is not used."""

MOST_LINES = 20
"""Up to so many columns have a line of their own."""

MOST_EXAMPLES = 3
MOST_NAMED = 8
"""The most columns that a sentence names."""


def notes(
    cells: Cells, wanted: Wanted, schema: Schema, features: Sequence[Found], y: Array
) -> tuple[str, ...]:
    """What was inferred, a sentence each.

    Args:
        features: all columns that are no target, no group and no time.
        y: the targets.
    """
    found = [_about_target(wanted, schema, y)]
    for key, name in (("group", wanted.group), ("time", wanted.time)):
        if name:
            found.append(f"column {short(name)}: the {key} of the split, and no feature")
    if name := wanted.sample_weight:
        examples = _examples(cells, Found(name, "number"))
        found.append(f"column {short(name)}: what a row counts{examples}, and no feature")
    found += _about_columns(cells, features)
    found += _about_codes(features)
    if cells.stripped:
        names = _named(cells.stripped)
        found.append(f"spaces around the words of {names} are taken away")
    return tuple(found)


def _about_target(wanted: Wanted, schema: Schema, y: Array) -> str:
    """Which column is the target, and what it holds."""
    names = listed([short(column.name) for column in schema.targets])
    chosen = "" if wanted.target else ", taken for its name"
    what = "numbers"
    if y.dtype.kind in "bU" or (y.dtype.kind == "i" and y.ndim == 1):
        word = {"b": "truth value", "i": "whole number"}.get(y.dtype.kind, "word")
        what = f"{counted(len(np.unique(y)), f'different {word}')}"
    return f"target {names}{chosen}: {what} in {counted(len(y), 'row')}"


def _about_columns(cells: Cells, features: Sequence[Found]) -> list[str]:
    """A sentence for each column; for each row of like columns if there are many."""
    if len(features) <= MOST_LINES:
        return [_about(cells, [one]) for one in features]
    runs = [list(run) for _, run in groupby(features, key=lambda one: (one.kind, one.why))]
    lines = [_about(cells, run) for run in runs[:MOST_LINES]]
    more = sum(len(run) for run in runs[MOST_LINES:])
    if more:
        left_out = sum(run[0].kind == "ignore" for run in runs[MOST_LINES:])
        lines.append(f"and {counted(more, 'more column')}, {left_out:,} of them left out")
    return lines


def _about(cells: Cells, run: Sequence[Found]) -> str:
    """What columns in a row hold, which are of one kind."""
    first = run[0]
    name = f"column {short(first.name)}"
    if len(run) > 1:
        name = f"{len(run):,} columns {short(first.name)} to {short(run[-1].name)}"
    if first.why:
        return f"{name}: {LEFT_OUT} it {first.why}"
    gaps = sum(one.gaps for one in run)
    facts = [first.kind if len(run) == 1 else f"each a {first.kind}"]
    if first.kind == "category" and len(run) == 1:
        facts.append(counted(first.distinct, "word"))
    if gaps:
        facts.append(counted(gaps, "gap"))
    examples = _examples(cells, first) if len(run) == 1 else ""
    return f"{name}: {', '.join(facts)}{examples}"


def _examples(cells: Cells, one: Found) -> str:
    """The range of numbers, or the first distinct values."""
    import polars as pl

    known = cells.frame[one.name].drop_nulls()
    if one.kind == "number":
        numbers = known.cast(pl.Float64).to_numpy()
        if not len(numbers):
            return ""
        return f", {_written(numbers.min())} to {_written(numbers.max())}"
    values = known.unique(maintain_order=True).head(MOST_EXAMPLES)
    return f"; such as {', '.join(short(str(value), 30) for value in values.to_list())}"


def _written(number: float) -> str:
    """A number as short as it can be: `1,490,400`, `0.0625`."""
    if float(number).is_integer() and abs(number) < 1e12:
        return f"{int(number):,}"
    return f"{number:.6g}"


def _about_codes(features: Sequence[Found]) -> list[str]:
    """A sentence on numbers that may be names of something."""
    codes = [one.name for one in features if one.kind == "number" and one.may_be_code]
    if not codes:
        return []
    few = codes[:MOST_NAMED]
    keys = ", ".join(f"{short(name)}: category" for name in few)
    if len(codes) > len(few):
        keys = f"{keys}, ..."
    look = "looks like codes, and is" if len(codes) == 1 else "look like codes, and are"
    return [
        f"{_named(codes)} {look} read as quantities. If they name something, write under `data`: "
        f" columns: {{{keys}}}"
    ]


def _named(names: Sequence[str]) -> str:
    """Columns by name, in the words of a sentence."""
    shown = [short(name) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more:,} more")
    word = "column" if len(names) == 1 else "columns"
    return f"{word} {listed(shown)}"
