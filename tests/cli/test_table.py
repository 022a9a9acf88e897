"""Tables: numbers are whole in any terminal, words go on in the next line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from evonas.cli.table import Column, print_table
from evonas.telling.console import UNLIMITED

COLUMNS = [
    Column("trial", is_number=True),
    Column("state"),
    Column("val_loss", is_number=True),
    Column("parameters", is_number=True),
    Column("operator"),
]
ROWS = [
    ["7", "ok", "1.235e-07", "1,234,567", "crossover+settings+add"],
    ["12,345", "infeasible", "-", "987,654,321", "seed [b]lenet5[/b]"],
]
NUMBERS = ["12,345", "1.235e-07", "1,234,567", "987,654,321"]


def printed(width, title="", rows=ROWS):
    out = io.StringIO()
    console = Console(file=out, width=width, markup=False, highlight=False)
    print_table(console, COLUMNS, rows, title)
    assert console.width == width, "the console is as wide as before"
    return out.getvalue()


@pytest.mark.parametrize("width", [10, 40, 60, 80, 100, 200, UNLIMITED])
def test_numbers_are_whole_and_words_are_all_there(width):
    text = printed(width)
    for number in NUMBERS:
        assert number in text
    assert "\u2026" not in text, "nothing is cut"
    letters = "".join(text.split())
    for word in ("infeasible", "[b]lenet5[/b]"):
        assert all(letter in letters for letter in word)


@pytest.mark.parametrize("width", [75, 100, 200])
def test_lines_are_no_longer_than_the_terminal(width):
    assert max(map(len, printed(width).splitlines())) <= width


def test_where_there_is_room_nothing_is_folded():
    lines = [line for line in printed(100).splitlines() if line.strip()]
    assert len(lines) == 2 + len(ROWS), "a heading, a rule and the rows"
    assert "crossover+settings+add" in lines[2]


def test_a_title_is_one_line_for_the_terminal_to_wrap():
    title = "The winner: trial 5, the best of 93 that succeeded; generation 3"
    assert printed(40, title).splitlines()[0] == title


def test_a_table_without_rows_has_its_headings():
    assert "parameters" in printed(100, rows=[])
