"""`evonas predict`: what an exported model answers for new samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunsOption
from evonas.files import expanded

NAME = "predict"


def command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="An exported `.keras` file with its card beside it, or a run, for its best model.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FILE",
            parser=expanded,
            help=(
                "A file or folder of the kind that the search had, such as a CSV with the same"
                " columns. Targets are not needed."
            ),
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="PATH",
            parser=expanded,
            help="A CSV file for the answers; printed if left out.",
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Read new samples as the search has read its data, and write the model's answers as CSV.

    One row a sample, in the order of the file. Of a folder, the first column names the file of each
    sample. A forecast needs the past of its targets, in order of time; the first column is the row
    that it follows, and the last of the answers is the future. Classification gives the most
    probable label, and the probability of each class; the others give a column for each target.
    """
    import csv
    import io

    from evonas.cli.console import complain, console, emit_document, model_at, print_json, say
    from evonas.cli.quiet import startup_log_aside
    from evonas.export.prediction import predict
    from evonas.files import write_text_whole
    from evonas.words import counted

    path = model_at(model, runs)
    with startup_log_aside():
        found = predict(path, data)
    for note in found.notes:
        complain(f"note: {note}")
    if as_json:
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        print_json(rows)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows(found.rows)
    if to is None:
        emit_document([text.getvalue()])
    else:
        write_text_whole(to, text.getvalue())
        say(console(), f"wrote {to}: {counted(len(found.rows), 'answer')}")
