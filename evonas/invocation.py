"""How this evonas is called from the shell in which the user reads a sentence of ours."""

from __future__ import annotations

import shlex
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

NAME = "evonas"


def command(*words: object) -> str:
    """A command that works as printed, such as `.venv/bin/evonas resume runs/digits`.

    Args:
        words: words after the name of the program; each is quoted if the shell needs it.
    """
    return shlex.join([program(), *map(str, words)])


def resuming(root: Path, overrides: Sequence[str], *words: str) -> str:
    """The command that asks for the same resume once more.

    Args:
        root: directory of the run.
        overrides: what the resume was to change, which nobody has recorded yet.
        words: further words of the command.
    """
    changes = [word for override in overrides for word in ("--set", override)]
    return command("resume", root, *changes, *words)


def program() -> str:
    """The name of the program, or the path of its script if the shell would not find that one.

    In a virtual environment that is not activated, the shell finds no `evonas` or another one.
    """
    script = _script()
    if script is None:
        return NAME
    found = shutil.which(NAME)
    if found is not None and script.samefile(found):
        return NAME
    try:
        here = Path.cwd()
    except OSError:
        return str(script)
    if not script.is_relative_to(here):
        return str(script)
    path = script.relative_to(here)
    # A name without a slash would be looked up on the PATH.
    if len(path.parts) == 1:
        return f"./{path}"
    return str(path)


def _script() -> Path | None:
    """The script of this evonas; None if there is none.

    It is the one that runs. In a program of the user's, it is the one of this Python.
    """
    running = Path(sys.argv[0])
    # The folder in which the user stands may be deleted.
    with suppress(OSError):
        running = running.absolute()
    installed = Path(sysconfig.get_path("scripts")) / NAME
    for script in (running, installed):
        if script.name == NAME and script.is_file():
            return script
    return None
