"""What another table has that the first one had not: nothing of it is left out without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.data.raw import Array, Frame, RawSamples
from evonas.data.tables.cells import Cells
from evonas.data.tables.schema import Schema
from evonas.genome.strict_yaml import short
from evonas.words import counted, listed

MOST_NAMED = 5
"""The most columns that a note names."""


def notes_on(
    schema: Schema, cells: Cells, x: RawSamples, fitted: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Columns of a table that are not used, and words that the model does not know.

    Args:
        schema: how the first table was read.
        cells: the other table as it was found.
        x: samples that were read from it.
        fitted: for each feature what was found in the training part; `words` for one of words.

    Returns:
        Notes in sentences.
    """
    found = _left_out(schema, cells)
    if isinstance(x, Frame):
        for one in fitted:
            if "words" in one:
                found += _unknown(one, x.columns[one["name"]], cells)
    return found


def _left_out(schema: Schema, cells: Cells) -> list[str]:
    """A note on columns that the model was not trained with, beside its targets."""
    names = cells.frame.columns
    if schema.is_text and len(names) == 1:
        wanted = schema.features[0].name
        only = f"the only column, {short(names[0])!r}, is taken for the texts {short(wanted)!r}."
        return [] if names[0] == wanted else [f"{cells.origin}: {only}"]
    used = {one.name for one in (*schema.features, *schema.targets)}
    used |= {schema.sequence, schema.order}
    others = [repr(short(name)) for name in names if name not in used]
    if not others:
        return []
    more = len(others) - MOST_NAMED
    told = [*others[:MOST_NAMED], *([f"{more:,} more"] if more > 0 else [])]
    what = "this column is" if len(others) == 1 else f"these {len(others):,} columns are"
    why = "the model was not trained with" + (" it" if len(others) == 1 else " them")
    return [f"{cells.origin}: {what} left out, because {why}: {listed(told)}."]


def _unknown(fitted: Mapping[str, Any], column: Array, cells: Cells) -> list[str]:
    """A note on words of a column that have no code of their own."""
    # An empty word is a gap.
    known = {"", *fitted["words"]}
    is_unknown = np.array([word not in known for word in column.tolist()])
    if not is_unknown.any():
        return []
    row = int(np.argmax(is_unknown))
    # Rare words of many were seen, and are not told apart.
    where = "not in the training data"
    if fitted.get("left_out"):
        where = "rare or not in the training data"
    count = len(set(column[is_unknown].tolist()))
    words = counted(count, "word")
    rows = counted(int(is_unknown.sum()), "row")
    return [
        f"{cells.origin}: the column {short(fitted['name'])!r} has {words} that"
        f" {'was' if count == 1 else 'were'} {where}, in {rows}. The first is"
        f" {short(str(column[row]))!r} {cells.place(row)}. The model takes it for an unknown word."
    ]
