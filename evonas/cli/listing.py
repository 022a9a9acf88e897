"""`evonas list`: the runs in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunsOption
from evonas.invocation import command as command_line
from evonas.runtime.record.layout import EXPERIMENT

NAME = "list"


def command(runs: RunsOption = DEFAULT_RUNS, as_json: JsonOption = False) -> None:
    """List the runs: how far each is, and its best so far."""
    from evonas.cli.console import console, print_json, say
    from evonas.errors import UserError

    # The default folder does not exist before the first run, which is no mistake of the user's.
    if not runs.is_dir() and runs != DEFAULT_RUNS:
        raise UserError(f"there is no folder {runs}")
    found = [_summary(folder) for folder in folders(runs)]
    if as_json:
        print_json(found)
    elif found:
        _print(found)
    else:
        words = ["run", "digits"]
        if runs != DEFAULT_RUNS:
            words += ["--runs", str(runs)]
        say(console(), f"There are no runs in {runs}. To make one:  {command_line(*words)}")


def folders(runs: Path) -> list[Path]:
    """The folders of the runs in a folder, and of those of its experiments."""
    found = [record.parent for record in runs.glob("*/run.db")]
    for experiment in runs.glob(f"*/{EXPERIMENT}"):
        found += [record.parent for record in experiment.parent.glob("*/run.db")]
    return sorted(found)


def _summary(directory: Path) -> dict[str, Any]:
    """A run in plain values, or the error that reading it gives."""
    from evonas.errors import EvonasError
    from evonas.view import load

    # One damaged record must not hide the other runs.
    try:
        return load(directory).summary()
    except EvonasError as error:
        return {
            "run": directory.name,
            "directory": str(directory),
            "error": str(error),
        }


def _state(row: Mapping[str, Any]) -> str:
    """Whether a run has ended; if not, whether a process is working on it at this moment."""
    if row["finished"]:
        return "finished"
    return "going on" if row["going_on"] else "unfinished"


def _print(found: Sequence[Mapping[str, Any]]) -> None:
    """One row a run."""
    from evonas.cli.console import console, number
    from evonas.cli.table import Column, print_table

    rows = []
    for row in found:
        if "error" in row:
            rows.append([row["directory"], "", row["error"], "", ""])
            continue
        trials = f"{row['done']:,}"
        if row["budget"] is not None:
            trials += f"/{row['budget']:,}"
        rows.append(
            [
                row["directory"],
                trials,
                _state(row),
                number(row["best_value"]),
                row["objective"],
            ]
        )
    columns = [
        Column("run"),
        Column("trials", is_number=True),
        Column("state", least=len("unfinished")),
        Column("best", is_number=True),
        Column("objective", least=len("objective")),
    ]
    print_table(console(), columns, rows)
