"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from evonas.errors import UserError, did_you_mean
from evonas.files import expanded

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
        "--runs",
        metavar="DIR",
        # A shell leaves the `~` of `--runs=~/runs` and of a variable as it is.
        parser=expanded,
        help="The folder of runs.",
        envvar="EVONAS_RUNS",
        show_default=True,
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
NoProbeOption = Annotated[
    bool, typer.Option("--no-probe", help="Train nothing, and predict no time.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

DEFAULT_RUNS = Path("runs")


def whole_number(
    name: str, least: int | None = None, most: int | None = None
) -> Callable[[str | int], int]:
    """A parser for an option or argument that refuses in our own words.

    Args:
        name: name of the option or argument, as the user writes it.
        least, most: smallest and largest number that is allowed.
    """
    allowed = "a whole number"
    if least is not None and most is not None:
        allowed += f" from {least} to {most}"
    elif least is not None:
        allowed += f" of at least {least}"

    def parse(given: str | int) -> int:
        try:
            value = int(given)
        except ValueError:
            value = None
        is_small = value is None or (least is not None and value < least)
        if value is None or is_small or (most is not None and value > most):
            raise UserError(f"{name} must be {allowed}. Received: {given}")
        return value

    return parse


def one_of(name: str, words: Sequence[str]) -> Callable[[str], str]:
    """A parser for one of a few words; arguments as for `whole_number`."""

    def parse(given: str) -> str:
        if given in words:
            return given
        hint = did_you_mean(given, words)
        raise UserError(f"{name} must be one of {', '.join(words)}. Received: {given}.{hint}")

    return parse
