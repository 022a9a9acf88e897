"""What the user's code has raised, in words that the record can keep."""

from __future__ import annotations

import os
import traceback

from evonas.words import cut

LOG = 8 * 2**10
"""Characters of a traceback that an outcome keeps: its end."""
SHOWN = 80
"""Characters of a value that a message quotes."""


def message_of(error: BaseException) -> str:
    """`ValueError: its text`. An outcome cuts it if it is long."""
    return f"{kind_of(error)}: {text_of(error)}"


# The name, the text and the form of an error or a value may be made by code of the user's, which
# may raise anything, too. A Ctrl-C at this very moment is noted by its handler.


def kind_of(thing: object) -> str:
    """The name of a class, also if reading it raises."""
    try:
        return str(type(thing).__name__)
    except BaseException:
        return "thing without a name"


def text_of(error: BaseException) -> str:
    """The text of an error, also if reading it raises."""
    try:
        return str(error)
    except BaseException:
        return "its text cannot be read"


def quoted(value: object) -> str:
    """A value of the user's as a message quotes it, in short."""
    try:
        return cut(repr(value), SHOWN)
    except BaseException:
        return f"a {kind_of(value)}"


def end_of_traceback() -> str:
    """The last lines of the traceback of the error that is being handled."""
    try:
        return traceback.format_exc()[-LOG:]
    except BaseException:
        return ""


def leave_if_forked(pid: int) -> None:
    """End this process if the user's code has forked it, and has come back.

    Such a child would go on as a second driver, or as a second worker on the same socket.

    Args:
        pid: this process before the call.
    """
    if os.getpid() != pid:
        os._exit(0)
