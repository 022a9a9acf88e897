"""The `evonas` command: its subcommands, and what becomes of errors."""

from __future__ import annotations

import sys
import tempfile
import traceback
from typing import Annotated, NoReturn

import typer

from evonas import __version__
from evonas.cli import (
    adopt,
    audit,
    check,
    compare,
    diff,
    explain,
    export,
    genealogy,
    init,
    listing,
    ops,
    plan,
    predict,
    replay,
    resume,
    rm,
    run,
    show,
    space,
    spaces,
)
from evonas.cli.console import complain
from evonas.cli.refusals import refusal
from evonas.errors import DiskFailure, EvonasError, Stopped, UserError
from evonas.files import failure
from evonas.invocation import program
from evonas.streams import hurry, lasting_streams, lost_output

HELP = """
**Neural architecture search by evolution, for Keras.**

A short YAML file and a budget go in; a Keras model that has proven itself on data it never saw
comes out, with its family tree.

    {program} init my.csv --target COLUMN  # looks at data of your own, and writes my.yaml

    {program} check my.yaml  # what is wrong with a config

    {program} plan my.yaml  # how long it will take

    {program} run digits  # or the path of your own config

    {program} resume runs/digits  # after a Ctrl-C or a crash

    {program} list  # the runs that there are

    {program} show runs/digits  # what came of it

    {program} genealogy runs/digits  # how the winner came to be

    {program} export runs/digits --to digits.keras

    {program} predict runs/digits --data new.npz  # what the best model answers

    {program} adopt mine.keras  # a model of your own, for a search to begin with

Exit codes: 0 done, 1 a bug of evonas, 2 usage or config, 3 nothing feasible found, 4 an audit or a
replay found a difference, 5 stopped by repeated failures, 6 run held by another process, 65 damaged
or newer record, 69 no worker or device, 71 a limit of the system such as too many open files, 74
disk full or not writable, 130 Ctrl-C, 143 SIGTERM.
"""

MAKERS = frozenset({run.NAME, resume.NAME, compare.NAME, export.NAME, adopt.NAME})
"""The commands that make something. What they print is a by-product."""

_GO_ON = "stopped by Ctrl-C. What was recorded is safe; the same command goes on."
_INTERRUPTED = {
    # What comes before its record says so itself, and a session says how to go on.
    run.NAME: "stopped by Ctrl-C. What a run has recorded is safe.",
    resume.NAME: _GO_ON,
    compare.NAME: _GO_ON,
    export.NAME: "stopped by Ctrl-C. The same command begins again.",
}
"""Command -> what is said of a Ctrl-C before or after its work. All others record nothing."""

app = typer.Typer(
    name="evonas",
    add_completion=True,
    rich_markup_mode="markdown",
    # Tracebacks are for logs: `main` says in one sentence what went wrong.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order in which the help lists them.
MODULES = (
    init,
    plan,
    run,
    resume,
    listing,
    show,
    explain,
    genealogy,
    diff,
    compare,
    export,
    predict,
    check,
    spaces,
    space,
    ops,
    adopt,
    audit,
    replay,
    rm,
)
for module in MODULES:
    app.command(module.NAME)(module.command)


def _version(asked: bool) -> None:
    """Prints the version, and ends."""
    if asked:
        typer.echo(f"evonas {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    # The option does its work in `_version`, before any command is looked for.
    pass


def main() -> None:
    """Run the command line; every way out has its exit code."""
    arguments = sys.argv[1:] or ["--help"]
    # The door of the command line: whatever becomes of its output, nothing inside sees it.
    with lasting_streams():
        try:
            _run(arguments)
        except SystemExit as end:
            if why := lost_output():
                sys.exit(_without_output(end.code, arguments[0], why))
            raise


def _without_output(code: str | int | None, command: str, why: str) -> str | int | None:
    """Says that a part of standard output is lost.

    Args:
        code: exit code of the command.

    Returns:
        The exit code with which evonas ends. That of a search or an export speaks of it alone.
    """
    words = f"standard output could not be written: {why}"
    if command in MAKERS:
        complain(f"{words}. What the run has recorded is safe.")
        return code
    complain(words)
    return code or DiskFailure.exit_code


def _run(arguments: list[str]) -> NoReturn:
    """Run a command, and end with its exit code."""
    # How this shell finds the program is not known before.
    app.info.help = HELP.format(program=program())
    try:
        # In its standalone mode, the library prints its own words about what it cannot read.
        code = app(arguments, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except SystemExit as end:
        # The library makes this of a Ctrl-C that came before a session or after it.
        if end.code == Stopped.exit_code:
            hurry()
            complain(_INTERRUPTED.get(arguments[0], "stopped by Ctrl-C. Nothing was recorded."))
        raise
    except EvonasError as error:
        # Whoever has stopped it does not want it to wait for a reader.
        if isinstance(error, Stopped):
            hurry()
        notes = getattr(error, "__notes__", [])
        complain("\n".join([str(error), *notes]))
        sys.exit(error.exit_code)
    except OSError as error:
        told = failure(error, str(error.filename or "a file"))
        complain(str(told))
        sys.exit(told.exit_code)
    # The last border: anything else is a bug of a strategy of the user's, or of evonas. It must
    # leave its log.
    except Exception as error:
        if words := refusal(error, arguments):
            complain(words)
            sys.exit(UserError.exit_code)
        sys.exit(_report_bug(error))


def _report_bug(error: Exception) -> int:
    """Writes a log with the traceback, and says where it is.

    Returns:
        The exit code.
    """
    told = traceback.format_exc()
    last = told.strip().splitlines()[-1]
    arguments = " ".join(sys.argv)
    log = f"evonas {__version__}, Python {sys.version}\n{arguments}\n\n{told}"
    if place := _place_in_plugin(error):
        complain(
            f"{place} has raised: {last}\n"
            f"Its traceback is in {_kept(log)}. What a run has recorded is safe."
        )
        return UserError.exit_code
    complain(
        f"this is a bug of evonas: {last}\n"
        f"Please report it with {_kept(log)}. What a run has recorded is safe."
    )
    return EvonasError.exit_code


def _place_in_plugin(error: Exception) -> str:
    """The line of the user's strategy that has raised; empty if it is none of the user's."""
    # The import takes long. If the command has read a config, the module is there already.
    module = sys.modules.get("evonas.runtime.config.plugin_members")
    if module is None:
        return ""
    place: str = module.raised_in(error)
    return place


def _kept(log: str) -> str:
    """Where the log of a bug is; the log itself if there is no room for a file."""
    try:
        # In the system's folder: a bug may strike before there is any run.
        with tempfile.NamedTemporaryFile(
            "w", prefix="evonas-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(log)
    except OSError:
        return f"these lines:\n{log}\n"
    return file.name
