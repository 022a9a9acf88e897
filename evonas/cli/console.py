"""How commands print: plain words on standard output, complaints on standard error, JSON where it is asked for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """For standard output; as wide as the terminal, or 100 columns where there is none. What it prints is no markup.

    A reader that has gone away (`evonas list | head`) is no error, and must never end a search.
    """
    from rich.console import Console

    class Patient(Console):
        def on_broken_pipe(self) -> None:
            _forget_stdout()

    return Patient(
        highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 100
    )


def emit(text: str) -> None:
    """Plain text, as it is."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()


def _forget_stdout() -> None:
    """Nobody reads: what is still written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """An error, on standard error: in red on a terminal."""
    from rich.console import Console
    from rich.text import Text

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    err.print(Text("evonas: ", style="bold red") + Text(message))


def print_json(data: Any) -> None:
    emit(json.dumps(data, indent=2, allow_nan=False))


def find_run(name: str, runs: Path) -> Path:
    """The directory of a run, by its path or by its name under `runs`.

    Raises:
        UserError: there is none.
    """
    for directory in (Path(name), runs / name):
        if (directory / "run.db").is_file():
            return directory
    if Path(name).suffix in (".yaml", ".yml"):
        raise UserError(f"{name} is a config, not a run. To run it:  evonas run {name}")
    known = sorted(path.parent.name for path in runs.glob("*/run.db"))
    hint = (
        f"In {runs} there are: {', '.join(known)}."
        if known
        else f"There are none in {runs}, either."
    )
    raise UserError(f"there is no run at {name}. {hint}")


def duration(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; `-:--` for an unknown one."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def number(value: float | int | None) -> str:
    """Four significant digits, without an exponent where it can be helped; whole numbers with thousands apart."""
    if value is None:
        return "-"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 1000):
        return f"{int(value):,}"
    return f"{value:.4g}" if abs(value) < 0.001 and value else f"{value:.4f}"
