"""How commands print: words on standard output, complaints on standard error, JSON on request."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.cli.json_text import indented
from evonas.errors import UserError
from evonas.files import expanded
from evonas.runtime.finding import find_run
from evonas.words import clean, clean_lines, number

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "columns",
    "complain",
    "console",
    "duration",
    "emit",
    "emit_document",
    "find_run",
    "model_at",
    "number",
    "print_json",
    "print_json_pieces",
    "say",
]

UNLIMITED = 100_000
"""Columns of an output that is no terminal: nothing is wrapped or cut."""


def columns() -> int | None:
    """The columns of standard output; None if the terminal itself is to be asked.

    `COLUMNS` decides, for a terminal and for a pipe.
    """
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return None if sys.stdout.isatty() else UNLIMITED


def console() -> Console:
    """A console for standard output, as wide as `columns` says. What it prints is no markup."""
    # rich is imported here because a command that prints JSON does without it.
    from rich.console import Console

    # The stream of this moment: a network may put another one there, or none.
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=columns())


def say(out: Console, *parts: str | tuple[str, str], style: str = "") -> None:
    """One line, which is never wrapped: a path in it can be copied.

    All words of the commands are printed here, in tables, and by `emit` and `complain`. Each of
    them shows what comes from outside without its control characters.

    Args:
        parts: texts of the line, each alone or with a style of its own.
        style: style of the whole line.
    """
    from rich.text import Text

    line = Text()
    for part in parts:
        words, look = (part, "") if isinstance(part, str) else part
        line.append(clean(words), look)
    out.print(line, style=style, soft_wrap=True)


def emit(text: str) -> None:
    """Plain text of several lines, with a line break at its end."""
    _write(clean_lines(text))


def emit_document(pieces: Iterable[str]) -> None:
    """A document of a format that is always in UTF-8, byte for byte as a file would hold it.

    Args:
        pieces: its text. Each piece is written before the next one is asked for.
    """
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece.encode(errors="backslashreplace"))
    sys.stdout.buffer.flush()


def _write(text: str) -> None:
    if not text.endswith("\n"):
        text += "\n"
    sys.stdout.write(text)
    # A reader that is gone is noticed here, not when Python ends.
    sys.stdout.flush()


def complain(message: str) -> None:
    """An error, on standard error: in red on a terminal."""
    from rich.console import Console
    from rich.text import Text

    first, *more = map(clean, message.split("\n"))
    # A line that comes from outside never looks like one of ours.
    lines = [first, *(f"  {line}" for line in more)]
    err = Console(file=sys.stderr, stderr=True, highlight=False, soft_wrap=True)
    name = Text("evonas: ", style="bold red")
    err.print(name + Text("\n".join(lines)))


def print_json(data: Any) -> None:
    """JSON on standard output, for scripts."""
    print_json_pieces([indented(data)])


def print_json_pieces(pieces: Iterable[str]) -> None:
    """JSON on standard output that is too long to be in memory as a whole."""
    for piece in pieces:
        # The one control character that JSON leaves as it is.
        sys.stdout.write(piece.replace("\x7f", "\\u007f"))
    _write("\n")


def model_at(name: str, runs: Path) -> Path:
    """An exported model: its file, or the best model of a run.

    Raises:
        UserError: there is none.
    """
    file = expanded(name)
    if file.is_file():
        return file
    model = find_run(name, runs) / "best.keras"
    if not model.is_file():
        raise UserError(f"the run has no model yet: {model} is not there.")
    return model


def duration(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; `-:--` for an unknown one."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
