"""How commands print: plain words on standard output, complaints on standard error, JSON where it is asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """For standard output; as wide as the terminal, or 100 columns where there is none."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def complain(message: str) -> None:
    """An error, on standard error: in red on a terminal."""
    from rich.console import Console
    from rich.text import Text

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    err.print(Text("evonas: ", style="bold red") + Text(message))


def print_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=2, allow_nan=False) + "\n")


def find_run(name: str, runs: Path) -> Path:
    """The directory of a run, by its path or by its name under `runs`.

    Raises:
        UserError: there is none.
    """
    for directory in (Path(name), runs / name):
        if (directory / "run.db").is_file():
            return directory
    known = sorted(path.parent.name for path in runs.glob("*/run.db"))
    hint = f"In {runs} there are: {', '.join(known)}." if known else f"There are none in {runs}, either."
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
