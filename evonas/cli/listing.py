"""`evonas list`: the runs in a folder."""

from __future__ import annotations

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunsOption

NAME = "list"


def command(runs: RunsOption = DEFAULT_RUNS, as_json: JsonOption = False) -> None:
    """List the runs: how far each is, and its best so far."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from evonas import api
    from evonas.cli.console import console, number, print_json
    from evonas.errors import EvonasError, UserError

    if not runs.is_dir() and runs != DEFAULT_RUNS:
        raise UserError(f"there is no folder {runs}")
    found = []
    for record in sorted(runs.glob("*/run.db")):
        try:
            found.append(api.load(record.parent).summary())
        except EvonasError as error:
            found.append(
                {"run": record.parent.name, "directory": str(record.parent), "error": str(error)}
            )
    if as_json:
        print_json(found)
        return
    if not found:
        console().print(f"There are no runs in {runs}. To make one:  evonas run digits")
        return
    table = Table(box=box.SIMPLE)
    for name in ("run", "trials", "state", "best", "objective"):
        table.add_column(name)
    for row in found:
        if "error" in row:
            table.add_row(row["directory"], "", Text(row["error"], style="red"), "", "")
        else:
            state = "finished" if row["finished"] else "unfinished"
            best = number(row["best_value"])
            of = "" if row["budget"] is None else f"/{row['budget']}"
            table.add_row(
                row["directory"],
                f"{row['trials'] - row['twins']}{of}",
                state,
                best,
                row["objective"],
            )
    console().print(table)
