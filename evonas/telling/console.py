"""Lines for a person: on a terminal as wide as it is, elsewhere never wrapped or cut."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from evonas.words import clean

if TYPE_CHECKING:
    from rich.console import Console

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
    return Console(
        file=sys.stdout,
        highlight=False,
        markup=False,
        emoji=False,
        width=columns(),
        # Otherwise a notebook would get each line as a block of HTML.
        force_jupyter=False,
    )


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


def duration(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; `-:--` for an unknown one."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
