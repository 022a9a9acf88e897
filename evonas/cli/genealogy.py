"""`evonas genealogy`: how the winner came to be."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, RunArgument, RunsOption, one_of, whole_number
from evonas.files import expanded
from evonas.telling.console import UNLIMITED

if TYPE_CHECKING:
    from evonas.view import Run

NAME = "genealogy"


class Format(StrEnum):
    TEXT = "text"
    SVG = "svg"
    JSON = "json"
    GRAPHML = "graphml"
    DOT = "dot"


SUFFIXES = {
    ".txt": Format.TEXT,
    ".svg": Format.SVG,
    ".json": Format.JSON,
    ".graphml": Format.GRAPHML,
    ".dot": Format.DOT,
}
"""The format of a file by its suffix."""


def command(
    run: RunArgument,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(Format),
            parser=one_of("--format", [form.value for form in Format]),
            help=(
                "`text`: a line of descent, the winner's; `svg`: the climb;"
                " the others: the whole family tree. If left out, the suffix of the file decides."
            ),
        ),
    ] = None,
    of: Annotated[
        int | None,
        typer.Option(
            "--of",
            metavar="TRIAL",
            parser=whole_number("--of", 0),
            help="Another trial than the winner, and its ancestors only.",
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
        typer.Option(
            "--to",
            metavar="FILE",
            parser=expanded,
            help="Write to a file instead of standard output.",
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
) -> None:
    """Show who descends from whom: every trial with its own fitness, every edge with its operator
    and what it changed."""
    from evonas.cli.console import console, emit, emit_document, find_run, say
    from evonas.files import write_whole
    from evonas.view import load

    chosen = format_of(form, to)
    view = load(find_run(run, runs))
    # A file is as wide as its longest line.
    width = console().width if to is None else UNLIMITED
    pieces = written(view, chosen, of, above, below, width)
    if to is not None:
        write_whole(to, lambda file: file.writelines(piece.encode() for piece in pieces))
        say(console(), f"wrote {to}")
    elif chosen is Format.TEXT:
        emit("".join(pieces))
    else:
        emit_document(pieces)


def format_of(form: str | None, to: Path | None) -> Format:
    """The format that is asked for, by its name or by the suffix of the file.

    Raises:
        UserError: the two contradict each other, or the suffix says nothing.
    """
    from evonas.errors import UserError

    named = None if form is None else Format(form)
    if to is None:
        return named or Format.TEXT
    meant = SUFFIXES.get(to.suffix.lower())
    if meant is None and named is None:
        known = ", ".join(SUFFIXES)
        raise UserError(
            f"--to must end in {known}, or --format must name the format. Received: {to}"
        )
    if meant is not None and named is not None and meant is not named:
        raise UserError(
            f"--format {named} and --to {to} contradict each other: {to.suffix} is the suffix of"
            f" {meant}. Leave --format out, or name another file."
        )
    return named or meant or Format.TEXT


def written(
    view: Run,
    form: Format,
    of: int | None = None,
    above: bool = False,
    below: bool = False,
    width: int = UNLIMITED,
) -> Iterable[str]:
    """A run's genealogy, or a part of it, in a format: the pieces of its text.

    Args:
        width: columns of a text, if it is a line of descent.

    Raises:
        UserError: there is no such trial, no trial has succeeded, or the format shows all trials
            only.
    """
    from evonas.errors import UserError
    from evonas.insight.climb import climb_svg
    from evonas.insight.genealogy import to_text
    from evonas.insight.kin import kin_text, relatives

    is_part = of is not None or above or below
    if form is Format.SVG:
        if is_part:
            raise UserError(
                "the climb shows all trials. For a part of the family,"
                " choose text, json, graphml or dot."
            )
        return [climb_svg(view.trials, view.objective, title=view.title)]
    # The winner, which further trainings may have chosen.
    centre = of
    if centre is None and view.best is not None:
        centre = view.best.id
    # As a text, a trial's line of descent says more than a list of all trials.
    if form is Format.TEXT and not (above or below):
        return [to_text(view.trials, view.objective, centre, width)]
    found: set[int] | None = None
    if is_part:
        if centre is None:
            raise UserError("no trial has succeeded yet; name one with --of.")
        # Without a direction, a trial comes with its ancestors.
        found = relatives(view.trials, centre, above or not below, below)
        if form is Format.TEXT:
            return [kin_text(view.trials, centre, found)]
    return _for_programs(view, form, found, centre)


def _for_programs(
    view: Run, form: Format, found: set[int] | None, centre: int | None
) -> Iterable[str]:
    """The family in a format for other programs.

    Args:
        found: ids of the trials that belong to it; None for all.
        centre: id of the trial that is marked, if the format can mark one.
    """
    from evonas.insight.dot import dot
    from evonas.insight.family import Family
    from evonas.insight.graph_files import graphml, node_link

    family = Family(view.trials, view.objective, None if found is None else sorted(found))
    if form is Format.DOT:
        return dot(family, centre)
    if form is Format.JSON:
        return node_link(family)
    return graphml(family)
