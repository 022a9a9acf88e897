"""Tables for a terminal of any width: words are folded, numbers are never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from evonas.cli.console import say
from evonas.words import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NARROWEST = 7
"""Columns that words keep in a narrow terminal."""
SHORTEST = 6
"""Columns that a heading keeps."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its heading.
        is_number: whether its cells are numbers: they stand at the right, on one line.
        style: style of its cells.
        least: columns of the terminal that it keeps, if it has use for them.
    """

    name: str
    is_number: bool = False
    style: str = ""
    least: int = 0


def print_table(
    out: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = ""
) -> None:
    """Print rows under their headings. Each cell is shown without control characters.

    If the terminal is too narrow even with folded words, the lines are longer than the terminal.
    """
    columns = [replace(column, name=clean(column.name)) for column in columns]
    rows = [list(map(clean, row)) for row in rows]
    natural = _natural_widths(columns, rows)
    widths = _least_widths(columns, rows, natural)
    # In a very narrow terminal the columns stand closer together.
    is_close = sum(widths) + _gaps(len(widths), is_close=False) > out.width
    gaps = _gaps(len(widths), is_close)
    spare = out.width - sum(widths) - gaps
    words = [place for place, column in enumerate(columns) if not column.is_number]
    numbers = [place for place, column in enumerate(columns) if column.is_number]
    # Words come first: a heading is folded once, and they are folded in every row.
    spare = _share(widths, natural, words, spare)
    _widen(widths, natural, numbers, spare)
    # The title is printed by itself: a table would fold it at its own width.
    if title:
        say(out, title, style="bold")
    if _is_plain(out, columns, rows, widths):
        for line in _plain_lines(columns, rows, widths, is_close):
            out.file.write(line)
        return
    before = out.width
    try:
        out.width = max(before, sum(widths) + gaps)
        out.print(_table(columns, rows, widths, is_close))
    finally:
        out.width = before


def least_width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """The columns of a terminal in which the table has room, with its words folded."""
    natural = _natural_widths(columns, rows)
    widths = _least_widths(columns, rows, natural)
    return sum(widths) + _gaps(len(widths), is_close=False)


def _gaps(count: int, is_close: bool) -> int:
    """The columns of the terminal that a table takes beside its cells."""
    around = 1 if is_close else 3
    return around * count + 1


def _natural_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column if nothing is folded."""
    widths = []
    for place, column in enumerate(columns):
        cells = [row[place] for row in rows]
        widths.append(max(map(len, [column.name, *cells])))
    return widths


def _least_widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], natural: Sequence[int]
) -> list[int]:
    """The width that each column keeps in any terminal.

    Numbers keep all of their digits. Words, and the headings above numbers, may be folded.
    """
    widths = []
    for place, column in enumerate(columns):
        least = NARROWEST
        if column.is_number:
            least = max((len(row[place]) for row in rows), default=0)
            least = max(least, SHORTEST)
        least = max(least, column.least)
        widths.append(min(least, natural[place]))
    return widths


def _share(widths: list[int], natural: Sequence[int], group: Sequence[int], spare: int) -> int:
    """Give the columns of a group what is spare, so that all are folded about as often.

    Returns:
        What is left.
    """
    while spare > 0:
        folded = [place for place in group if widths[place] < natural[place]]
        if not folded:
            break
        narrowest = min(folded, key=lambda place: widths[place] / natural[place])
        widths[narrowest] += 1
        spare -= 1
    return spare


def _widen(widths: list[int], natural: Sequence[int], group: Sequence[int], spare: int) -> None:
    """Give the columns of a group what is spare, those first that need least."""
    for place in sorted(group, key=lambda place: natural[place] - widths[place]):
        more = min(natural[place] - widths[place], max(0, spare))
        widths[place] += more
        spare -= more


def _is_plain(
    out: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> bool:
    """Whether each row is one line of plain text, which needs no layout."""
    # A terminal may have colours, and an old encoding no line below the headings. Of no columns
    # at all, rich makes an empty line.
    if out.is_terminal or out.options.ascii_only or not columns:
        return False
    for cells in ([column.name for column in columns], *rows):
        for cell, width in zip(cells, widths, strict=True):
            # A character of another script may be two columns wide, or none.
            if len(cell) > width or not cell.isascii():
                return False
    return True


def _plain_lines(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    is_close: bool,
) -> Iterator[str]:
    """The same that rich prints, line by line: rich takes half a millisecond for each row."""
    gap = "" if is_close else " "

    def line(cells: Sequence[str]) -> str:
        told = []
        for column, cell, width in zip(columns, cells, widths, strict=True):
            text = cell.rjust(width) if column.is_number else cell.ljust(width)
            told.append(f"{gap}{text}{gap}")
        return f" {' '.join(told)} \n"

    length = sum(widths) + _gaps(len(widths), is_close)
    rule = "\u2500" * (length - 2)
    empty = f"{' ' * length}\n"
    yield empty
    yield line([column.name for column in columns])
    yield f" {rule} \n"
    for cells in rows:
        yield line(cells)
    yield empty


def _table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int], is_close: bool
) -> Table:
    """The table, each column in its width."""
    # rich is imported here because a command that prints JSON does without it.
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, padding=(0, 0 if is_close else 1))
    for column, width in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        heading = Text(column.name, overflow="fold", justify=justify)
        table.add_column(heading, justify=justify, width=width, overflow="fold", style=column.style)
    for row in rows:
        # As a `Text`, a list in square brackets is never taken for markup.
        table.add_row(*map(Text, row))
    return table
