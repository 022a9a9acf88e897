"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigArgument = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG", help="A config's path, or the name of a shipped one, such as `digits`."
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's directory, or its name in the folder of runs.")
]
RunsOption = Annotated[
    Path,
    typer.Option(
        "--runs", metavar="DIR", help="The folder of runs.", envvar="EVONAS_RUNS", show_default=True
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change the config for this run, such as `--set budget.trials=20`. Repeatable.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

DEFAULT_RUNS = Path("runs")
