"""Small tables of HTML for notebooks. Nothing that comes from outside is ever markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from evonas.words import excerpt

MOST_ROWS = 60
"""The most rows of a table: a notebook keeps whatever it has shown."""

MOST_LETTERS = 200
"""The most characters of one cell."""

_LEFT = ' style="text-align: left"'


def escaped(value: object) -> str:
    """A value as text in HTML: one clean line."""
    return html.escape(excerpt(str(value), MOST_LETTERS))


def table(title: str, rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> str:
    """A table.

    Args:
        title: words above it.
        rows: cells of each row.
        header: name of each column; none for a table of facts, whose first column names them.
    """
    lines = [f"<b>{escaped(title)}</b>", "<table>"]
    if header:
        names = "".join(f"<th{_LEFT}>{escaped(name)}</th>" for name in header)
        lines.append(f"<tr>{names}</tr>")
    found = list(rows)
    for row in found[:MOST_ROWS]:
        cells = "".join(f"<td{_LEFT}>{escaped(cell)}</td>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    lines.append("</table>")
    if len(found) > MOST_ROWS:
        lines.append(f"<i>and {len(found) - MOST_ROWS:,} more</i>")
    return "\n".join(lines)
