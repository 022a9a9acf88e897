"""`evonas genealogy`: how the winner came to be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, RunArgument, RunsOption

if TYPE_CHECKING:
    from evonas.api import Run

NAME = "genealogy"


class Format(StrEnum):
    TEXT = "text"
    SVG = "svg"
    JSON = "json"
    GRAPHML = "graphml"


def command(
    run: RunArgument,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="`text`: the winner's line of descent; `svg`: the climb; the others: the whole family tree.",
        ),
    ] = Format.TEXT,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write to a file instead of standard output.")
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
) -> None:
    """Show who descends from whom: every trial with its own fitness, every edge with its operator and what it
    changed."""
    from evonas import api
    from evonas.cli.console import console, emit, find_run
    from evonas.files import write_text_whole

    view = api.load(find_run(run, runs))
    text = render(view, form)
    if to is None:
        emit(text)
    else:
        write_text_whole(to, text)
        console().print(f"wrote {to}", soft_wrap=True)


def render(view: Run, form: Format) -> str:
    from evonas.insight.climb import climb_svg
    from evonas.insight.genealogy import to_graphml, to_json, to_text

    if form is Format.TEXT:
        return to_text(view.trials, view.objective)
    if form is Format.SVG:
        return climb_svg(view.trials, view.objective, title=view.name)
    return to_json(view.genealogy()) if form is Format.JSON else to_graphml(view.genealogy())
