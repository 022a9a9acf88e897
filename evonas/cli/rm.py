"""`evonas rm`: deletes a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from pathlib import Path

NAME = "rm"


def command(
    run: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Delete a run: its record, its models, its copy of the data.

    It asks first. A run that another process works on is not deleted. Files in its folder that
    evonas has not made stay there.
    """
    from evonas.cli.console import console, find_run, print_json, say
    from evonas.removal import belongings, refuse_held, remove
    from evonas.words import counted, listed, size

    directory = find_run(run, runs)
    refuse_held(directory)
    if not yes and not _is_wanted(directory, size(belongings(directory).bytes)):
        say(console(), "Nothing was deleted.")
        return
    gone = remove(directory)
    if as_json:
        print_json(
            {
                "run": str(directory),
                "files": gone.files,
                "bytes": gone.bytes,
                "kept": list(gone.kept),
            }
        )
        return
    say(console(), f"Deleted {directory}: {counted(gone.files, 'file')}, {size(gone.bytes)}.")
    if gone.kept:
        say(console(), f"Left there, because evonas has not made it: {listed(gone.kept)}.")


def _is_wanted(directory: Path, amount: str) -> bool:
    """Ask whether to delete a run.

    Raises:
        UserError: nobody can be asked.
    """
    from evonas.cli.console import complain
    from evonas.errors import UserError
    from evonas.invocation import command as command_line

    if not sys.stdin.isatty():
        way = command_line(NAME, directory, "--yes")
        raise UserError(f"nobody can be asked, because the input is no terminal. To delete:  {way}")
    # On standard error: standard output may be a file, or JSON.
    complain(f"Delete the run at {directory}, {amount}? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
