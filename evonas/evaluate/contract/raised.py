"""What the user's code has raised, in words that the record can keep."""

from __future__ import annotations

import traceback

from evonas.words import cut

LOG = 8 * 2**10
"""Characters of a traceback that an outcome keeps: its end."""
SHOWN = 80
"""Characters of a value that a message quotes."""


def message_of(error: BaseException) -> str:
    """`ValueError: its text`. An outcome cuts it if it is long."""
    return f"{type(error).__name__}: {text_of(error)}"


def text_of(error: BaseException) -> str:
    """The text of an error, also if reading it raises."""
    try:
        return str(error)
    # The text of an error may be made by code of the user's.
    except (Exception, SystemExit):
        return "its text cannot be read"


def quoted(value: object) -> str:
    """A value of the user's as a message quotes it, in short."""
    try:
        return cut(repr(value), SHOWN)
    # The text of a value may be made by code of the user's.
    except (Exception, SystemExit):
        return f"a {type(value).__name__}"


def end_of_traceback() -> str:
    """The last lines of the traceback of the error that is being handled."""
    return traceback.format_exc()[-LOG:]
