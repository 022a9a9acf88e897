"""`evonas export`: a trial's model, as a `.keras` file, in another format, or in every form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

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
            help=(
                "Where the model goes. A path that ends in `.keras` gets one file. A name without"
                " any ending, or --as, makes a bundle: a new folder with every form."
            ),
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
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="FORM",
            help=(
                "A form of the bundle: `keras`, `saved_model`, `source`, `onnx`, `litert` or"
                " `litert_int8`. Repeatable. Without it, all that are installed and can hold the"
                " model."
            ),
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
                " weights; `onnx`, `litert` and `litert_int8`: for other runtimes, with the extras"
                " of these names; `package.module:Name`: a format of your own."
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
    from evonas.errors import UserError
    from evonas.export.card import card_beside
    from evonas.runtime.loop.observer import Observer

    class Notes(Observer):
        def on_note(self, text: str) -> None:
            # On standard error: standard output may be JSON.
            complain(f"note: {text}")

    view = api.load(find_run(run, runs))
    if forms or (form is None and not to.suffix):
        if form is not None or plugins:
            raise UserError("--as makes a bundle of evonas's own forms, without --format, --plugin")
        card = view.bundle(to, trial, forms=forms or (), observers=[Notes()])
        if as_json:
            print_json(card)
        else:
            _print_bundle(to, card)
        return
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


def _print_bundle(folder: Path, card: Mapping[str, Any]) -> None:
    """One row a form."""
    from evonas.cli.console import console, number, say
    from evonas.cli.table import Column, print_table
    from evonas.words import size

    rows = []
    for name, form in card["forms"].items():
        scores = [f"{key} {number(value)}" for key, value in form["metrics"].items()]
        rows.append(
            [
                name,
                form["path"],
                size(form["bytes"]),
                _cell(form["latency_ms"], ".2f"),
                _cell(form["difference"], ".1e"),
                ", ".join(scores),
            ]
        )
    columns = [
        Column("form"),
        Column("file"),
        Column("size", is_number=True),
        Column("ms", is_number=True),
        Column("difference", is_number=True),
        Column("its own scores"),
    ]
    out = console()
    say(out, f"wrote trial {card['trial']} to {folder}; each form was checked without evonas:")
    print_table(out, columns, rows)
    for name, why in card["left_out"].items():
        say(out, f"left out: {name}: {why}")


def _cell(value: float | None, layout: str) -> str:
    return "" if value is None else format(value, layout)
