"""`evonas compare`: several strategies on one question, and an honest verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunsOption

if TYPE_CHECKING:
    from evonas.insight.results import Comparison
    from evonas.runtime.loop.observer import Observer

NAME = "compare"


def command(
    experiment: Annotated[
        str, typer.Argument(help="A YAML file, or the name of a shipped experiment.")
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a key of every run's config. Repeatable."
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Run several strategies with several seeds on the same budget, and say who won and whether it matters.

    An experiment names a run config, the strategies and the seeds. Each run is an ordinary run in the experiment's
    folder: `evonas show` and `evonas genealogy` work on it. Trainings that two runs share are done once and charged to
    both. The winners are trained again with fresh seeds, so that luck is visible. Runs with several objectives are
    compared by the hypervolume of their fronts. Ctrl-C is safe; the same command goes on. What is written:
    `comparison.html`, one page that needs no network, its figure as `comparison.svg`, and `comparison.json`.
    """
    from evonas.cli.console import console, print_json
    from evonas.errors import EvonasError, UserError
    from evonas.experiments import compare

    def on_run(label: str, seed: int, begun: bool) -> Sequence[Observer]:
        if as_json:
            return ()
        from evonas.cli.progress import LineProgress

        console().print(f"{label}, seed {seed}{' (begun before)' if begun else ''}", style="bold")
        return (LineProgress(console()),)

    try:
        found = compare(experiment, overrides=changes or (), runs=runs, on_run=on_run)
    except UserError:
        raise
    except EvonasError as error:
        error.add_note(
            "The experiment goes on with the same command; finished runs are not done again."
        )
        raise
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)


def _tell(found: Comparison) -> None:
    from rich.table import Table

    from evonas.cli.console import console
    from evonas.insight.charts import cell

    out = console()
    table = Table(title=found.title, title_justify="left")
    target = f"{found.unit} to {cell(found.target)}"
    fresh, test = found.headings.get("fresh", "fresh seeds"), found.headings.get("test", "test")
    for number, heading in enumerate(
        ("strategy", "final", "area", target, "twins", "failed", fresh, test)
    ):
        table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    for row in found.rows():
        final = cell(row["final"]) + (
            f" ± {row['final_deviation']:.2g}" if row["final_deviation"] is not None else ""
        )
        reached = (
            f"{cell(row[f'{found.unit}_to_target'])} ({row['reached_target']} of {row['seeds']})"
        )
        rest = (row["area"], reached, row["twins"], row["failures"], row["fresh"], row["test"])
        table.add_row(row["strategy"], final, *(cell(value) for value in rest))
    out.print()
    out.print(table)
    for words in found.sentences:
        out.print(words, soft_wrap=True)
    if found.note:
        out.print(f"\n{found.note}", soft_wrap=True)
    out.print(
        f"\n  page    {found.page}\n  picture {found.picture}\n  numbers {found.data}",
        soft_wrap=True,
    )
