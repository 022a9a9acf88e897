"""How commands print: words on standard output, complaints on standard error, JSON on request."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.errors import UserError
from evonas.files import expanded
from evonas.invocation import command
from evonas.words import number

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "columns",
    "complain",
    "console",
    "duration",
    "emit",
    "find_run",
    "number",
    "print_json",
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

    class Patient(Console):
        def on_broken_pipe(self) -> None:
            # A reader that has gone away (`evonas list | head`) must never end a search.
            _forget_stdout()

    return Patient(highlight=False, markup=False, emoji=False, width=columns())


def emit(text: str) -> None:
    """Plain text, as it is, with a line break at its end."""
    if not text.endswith("\n"):
        text += "\n"
    try:
        sys.stdout.write(text)
        # A pipe without a reader is noticed here, not when Python ends.
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()


def _forget_stdout() -> None:
    """Sends what is still written to nowhere: nobody reads it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # The descriptor itself is replaced, because a buffer may still hold text for it.
    os.dup2(nowhere, sys.stdout.fileno())


def complain(message: str) -> None:
    """An error, on standard error: in red on a terminal."""
    from rich.console import Console
    from rich.text import Text

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    name = Text("evonas: ", style="bold red")
    err.print(name + Text(message))


def print_json(data: Any) -> None:
    """JSON on standard output, for scripts."""
    text = json.dumps(data, indent=2, allow_nan=False)
    emit(text)


def find_run(name: str, runs: Path) -> Path:
    """The directory of a run, by its path or by its name under `runs`.

    Raises:
        UserError: there is none.
    """
    for directory in (expanded(name), runs / name):
        if (directory / "run.db").is_file():
            return directory
    if Path(name).suffix in (".yaml", ".yml"):
        raise UserError(f"{name} is a config, not a run. To run it:  {command('run', name)}")
    known = sorted(path.parent.name for path in runs.glob("*/run.db"))
    hint = f"There are none in {runs}, either."
    if known:
        hint = f"In {runs} there are: {', '.join(known)}."
    raise UserError(f"there is no run at {name}. {hint}")


def duration(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; `-:--` for an unknown one."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
