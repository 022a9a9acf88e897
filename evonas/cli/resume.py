"""`evonas resume`: go on with a run that was stopped or killed, or that is to become longer."""

from __future__ import annotations

from typing import Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

NAME = "resume"


def command(
    run: RunArgument,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change the config from now on, such as `--set budget.trials=200`: budget, pool,"
            " limits, storage, ensemble, neighbours, finalists, max_twins_in_a_row,"
            " max_failures_in_a_row, or where the same table is now (evaluator.table.path)."
            " Repeatable.",
        ),
    ] = None,
    accept_changed_code: Annotated[
        bool,
        typer.Option(
            "--accept-changed-code",
            help="Go on although the code of the plugins has changed; the record keeps that.",
        ),
    ] = False,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run, wherever it was stopped, killed or cut off.

    The result is the same as if nothing had happened. A finished run is left as it is and shown
    again, unless `--set budget.trials=200` gives it a greater budget: then it goes on, as if it had
    begun with that.
    """
    from evonas.cli.console import find_run
    from evonas.cli.search import search

    directory = find_run(run, runs)
    search(directory, as_json, changes or (), accept_changed_code=accept_changed_code)
