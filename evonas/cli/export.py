"""`evonas export`: a trial's model, as a `.keras` file or in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption, whole_number
from evonas.files import expanded

NAME = "export"


def command(
    run: RunArgument,
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="PATH",
            parser=expanded,
            help="Where the model goes; must end in `.keras`, unless --format says otherwise.",
        ),
    ],
    trial: Annotated[
        int | None,
        typer.Argument(
            metavar="[TRIAL]",
            parser=whole_number("TRIAL", 0),
            help="A trial's number; the winner if left out.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=(
                "`keras`, the default: one file, which Keras loads, evaluates and trains further;"
                " `saved_model`: a folder, which TensorFlow loads without Keras and TensorFlow"
                " Serving serves; `source`: a folder with readable code, `model.py`, and the"
                " weights; `package.module:Name`: a format of your own."
            ),
        ),
    ] = None,
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin",
            metavar="MODULE",
            help="A module with a format of your own, if the run does not list it. Repeatable.",
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Write a trial's trained model, and a card beside it that says what it is and what it scored.

    The model is rebuilt in a worker, scored against the record, saved, loaded again and compared.
    It takes raw samples. A trial whose weights are not kept is trained again first, which gives the
    same weights.
    """
    from evonas import api
    from evonas.cli.console import complain, console, find_run, number, print_json, say
    from evonas.export.card import card_beside
    from evonas.runtime.loop.observer import Observer

    class Notes(Observer):
        def on_note(self, text: str) -> None:
            # On standard error: standard output may be JSON.
            complain(f"note: {text}")

    view = api.load(find_run(run, runs))
    card = view.export(to, trial, format=form, plugins=plugins or (), observers=[Notes()])
    if as_json:
        print_json(card)
        return
    scores = []
    for name, value in card["metrics"].items():
        # The scores only: a card has sizes and seconds, too.
        if name.startswith(("val_", "test_")):
            scores.append(f"{name} {number(value)}")
    words = f"trial {card['trial']}, {', '.join(scores)}"
    say(console(), f"wrote {to} and {card_beside(to)}: {words}")
    # What a format says of its files; Keras's own file needs no words.
    if how := card.get("loaded_by"):
        say(console(), f"to load it:  {how}")
