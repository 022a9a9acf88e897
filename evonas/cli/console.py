"""How commands print: words on standard output, complaints on standard error, JSON on request."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evonas.cli.json_text import indented
from evonas.errors import UserError
from evonas.files import expanded
from evonas.runtime.finding import find_run
from evonas.telling.console import columns, console, duration, say
from evonas.words import clean, clean_lines, number

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
