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
    DOT = "dot"


def command(
    run: RunArgument,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="`text`: a line of descent, the winner's; `svg`: the climb; the others: the whole family tree.",
        ),
    ] = Format.TEXT,
    of: Annotated[
        int | None,
        typer.Option(
            "--of", metavar="TRIAL", help="Another trial than the winner, and its ancestors only."
        ),
    ] = None,
    above: Annotated[
        bool, typer.Option("--ancestors", help="Only the trial and all of its ancestors.")
    ] = False,
    below: Annotated[
        bool, typer.Option("--descendants", help="Only the trial and all of its descendants.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write to a file instead of standard output."),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
) -> None:
    """Show who descends from whom: every trial with its own fitness, every edge with its operator and what it
    changed."""
    from evonas import api
    from evonas.cli.console import console, emit, find_run
    from evonas.files import write_text_whole

    view = api.load(find_run(run, runs))
    text = render(view, form, of, above, below)
    if to is None:
        emit(text)
    else:
        write_text_whole(to, text)
        console().print(f"wrote {to}", soft_wrap=True)


def render(
    view: Run, form: Format, of: int | None = None, above: bool = False, below: bool = False
) -> str:
    """
    Raises:
        UserError: there is no such trial, nobody has won, or the format shows all trials only.
    """
    from evonas.errors import UserError
    from evonas.insight.climb import climb_svg
    from evonas.insight.dot import to_dot
    from evonas.insight.genealogy import to_graphml, to_json, to_text
    from evonas.insight.kin import kin_text, relatives

    if form is Format.SVG:
        if of is not None or above or below:
            raise UserError(
                "the climb shows all trials. For a part of the family, choose text, json, graphml or dot."
            )
        return climb_svg(view.trials, view.objective, title=view.name)
    if form is Format.TEXT and not (above or below):
        return to_text(view.trials, view.objective, of)
    graph = view.genealogy()
    centre = of if of is not None else None if view.best is None else view.best.id
    if of is not None or above or below:
        if centre is None:
            raise UserError("no trial has succeeded yet; name one with --of.")
        found = relatives(view.trials, centre, above or not below, below)
        if form is Format.TEXT:
            return kin_text(view.trials, centre, found)
        graph = graph.subgraph(sorted(found))
    if form is Format.DOT:
        return to_dot(graph, centre)
    return to_json(graph) if form is Format.JSON else to_graphml(graph)
