"""`evonas list`: the runs in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunsOption

NAME = "list"


def command(runs: RunsOption = DEFAULT_RUNS, as_json: JsonOption = False) -> None:
    """List the runs: how far each is, and its best so far."""
    from evonas.cli.console import console, print_json
    from evonas.errors import UserError

    # The default folder does not exist before the first run, which is no mistake of the user's.
    if not runs.is_dir() and runs != DEFAULT_RUNS:
        raise UserError(f"there is no folder {runs}")
    found = [_summary(record.parent) for record in sorted(runs.glob("*/run.db"))]
    if as_json:
        print_json(found)
    elif found:
        _print(found)
    else:
        console().print(f"There are no runs in {runs}. To make one:  evonas run digits")


def _summary(directory: Path) -> dict[str, Any]:
    """A run in plain values, or the error that reading it gives."""
    from evonas import api
    from evonas.errors import EvonasError

    # One damaged record must not hide the other runs.
    try:
        return api.load(directory).summary()
    except EvonasError as error:
        return {
            "run": directory.name,
            "directory": str(directory),
            "error": str(error),
        }


def _print(found: Sequence[Mapping[str, Any]]) -> None:
    """One row a run."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from evonas.cli.console import console, number

    table = Table(box=box.SIMPLE)
    for name in ("run", "trials", "state", "best", "objective"):
        table.add_column(name)
    for row in found:
        if "error" in row:
            error = Text(row["error"], style="red")
            table.add_row(row["directory"], "", error, "", "")
            continue
        # Duplicates spend no budget, so that they are not counted here.
        trials = str(row["trials"] - row["twins"])
        if row["budget"] is not None:
            trials += f"/{row['budget']}"
        table.add_row(
            row["directory"],
            trials,
            "finished" if row["finished"] else "unfinished",
            number(row["best_value"]),
            row["objective"],
        )
    console().print(table)
