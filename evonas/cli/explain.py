"""`evonas explain`: how a trial came to be, and what each step on the way has brought."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption, whole_number

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.insight.credit import Credit
    from evonas.insight.story import Story
    from evonas.view import Run

NAME = "explain"


def command(
    run: RunArgument,
    trial: Annotated[
        int | None,
        typer.Argument(
            metavar="[TRIAL]",
            parser=whole_number("TRIAL", 0),
            help="A trial's number; the winner if left out.",
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Tell how the winner came to be: from its founder on, what changed, by which operator, what
    the guide expected, what it gained, and whether that is more than luck. Then which operators
    have paid.

    All of it is made from the record. Works while a run goes on.
    """
    from evonas.cli.console import console, find_run, print_json
    from evonas.errors import UserError
    from evonas.insight.story import story
    from evonas.view import load

    view = load(find_run(run, runs))
    chosen = trial if trial is not None or view.best is None else view.best.id
    if chosen is None:
        raise UserError(f"no trial of {view.directory} has succeeded yet, so there is no winner")
    # The last attempt is the one that counts.
    last = {id: rows[-1].seconds for id, rows in view.briefs().items()}
    seconds = {id: took for id, took in last.items() if took is not None}
    told = story(view.trials, chosen, seconds)
    if as_json:
        print_json({"run": view.name, "trial": chosen, **told.to_json()})
    else:
        _print(view, chosen, told, console())


def _print(view: Run, trial: int, told: Story, out: Console) -> None:
    from evonas.cli.console import say
    from evonas.cli.winner import print_words
    from evonas.insight.story import sentences

    say(out, f"How trial {trial} of {view.title} came to be", style="bold")
    steps = [chapter.step for chapter in told.chapters]
    for number, words in enumerate(sentences(told, view.objective)):
        out.print()
        print_words(words, out)
        for change in steps[number].changes if number < len(steps) else ():
            print_words(f"- {change}", out)
    if told.credits:
        out.print()
        _print_credits(told.credits, out)


def _print_credits(credits: Sequence[Credit], out: Console) -> None:
    """Which operators have paid, as a table."""
    from evonas.cli.console import number
    from evonas.cli.table import Column, print_table

    rows = []
    for one in credits:
        pace = one.better_a_minute
        rows.append(
            [
                one.operator,
                number(one.children),
                f"{one.better / one.children:.0%} ({one.low:.0%} to {one.high:.0%})",
                f"{one.gain:+.4g}",
                "-" if math.isnan(pace) else f"{pace:.2g}",
            ]
        )
    columns = [Column("operator"), Column("children", is_number=True)]
    columns += [
        Column(name, is_number=True)
        for name in (
            "better than the parent (95 %)",
            "median gain (+ is better)",
            "better a minute",
        )
    ]
    print_table(out, columns, rows, "What the operators have brought, alone or together")
