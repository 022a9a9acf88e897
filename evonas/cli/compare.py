"""`evonas compare`: several strategies on one question, and an honest verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunsOption
from evonas.streams import PATIENCE, hurry, impatient

if TYPE_CHECKING:
    from evonas.insight.results import Comparison
    from evonas.runtime.loop.observer import Observer

NAME = "compare"


def command(
    experiment: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT",
            help="An experiment's path, or the name of a shipped one, such as `compare-digits`.",
        ),
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
    """Run several strategies with several seeds on the same budget, and say who won and whether it
    matters.

    An experiment names a run config, the strategies and the seeds. Each run is an ordinary run in
    the experiment's folder: `evonas show` and `evonas genealogy` work on it. Trainings that two
    runs share are done once and charged to both. The winners are trained again with fresh seeds, so
    that luck is visible. Runs with several objectives are compared by the hypervolume of their
    fronts. Ctrl-C is safe; the same command goes on. What is written: `comparison.html`, one page
    that needs no network, its figure as `comparison.svg`, and `comparison.json`.
    """
    from evonas.cli.console import console, print_json, say
    from evonas.cli.search import observers
    from evonas.errors import EvonasError, UserError
    from evonas.experiments import run_experiment
    from evonas.runtime.config.experiment_file import load_experiment
    from evonas.runtime.loop.stopping import StopRequest

    def on_run(label: str, seed: int, begun: bool) -> Sequence[Observer]:
        if not as_json:
            before = " (goes on, or is finished)" if begun else ""
            say(console(), f"{label}, seed {seed}{before}", style="bold")
        return observers(as_json)

    stop = StopRequest()
    try:
        # The report may wait for a slow pager, the searches must not.
        with impatient():
            loaded = load_experiment(experiment, changes or ())
            found = run_experiment(loaded, runs, on_run, stop=stop)
    except UserError:
        # The same command would fail again in the same way.
        raise
    except EvonasError as error:
        error.add_note(
            "The experiment goes on with the same command; finished runs are not done again."
        )
        raise
    # It came when all was done, and may have come because nobody reads.
    if stop.is_asked:
        hurry(PATIENCE)
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)


def _tell(found: Comparison) -> None:
    """A row for each strategy, the verdict, and where the files are."""
    from evonas.cli.console import console, say
    from evonas.cli.table import Column, print_table

    name, *numbers = _headings(found)
    columns = [Column(name), *(Column(heading, is_number=True) for heading in numbers)]
    rows = [_cells(row, found.unit) for row in found.rows()]
    out = console()
    out.print()
    print_table(out, columns, rows, found.title)
    for words in found.sentences:
        say(out, words)
    if found.note:
        out.print()
        say(out, found.note)
    out.print()
    for label, path in (
        ("page", found.page),
        ("picture", found.picture),
        ("numbers", found.data),
    ):
        say(out, f"  {label:<7} {path}")


def _headings(found: Comparison) -> list[str]:
    from evonas.insight.charts import cell

    return [
        "strategy",
        "final",
        "area",
        f"{found.unit} to {cell(found.target)}",
        "duplicates",
        "failed",
        found.headings.get("fresh", "fresh seeds"),
        found.headings.get("test", "test"),
    ]


def _cells(row: Mapping[str, Any], unit: str) -> list[str]:
    """A strategy's numbers as words, in the order of the headings."""
    from evonas.insight.charts import cell

    return [
        row["strategy"],
        _final(row),
        cell(row["area"]),
        _reached(row, unit),
        _count(row["twins"]),
        _count(row["failures"]),
        _fresh(row),
        cell(row["test"]),
    ]


def _final(row: Mapping[str, Any]) -> str:
    """The mean and the deviation, or the median if a seed found nothing."""
    from evonas.insight.charts import cell

    if row["failed_seeds"]:
        failed = f"{row['failed_seeds']} of {row['seeds']} failed"
        if row["final_median"] is None:
            return f"none ({failed})"
        return f"median {cell(row['final_median'])} ({failed})"
    final = cell(row["final"])
    # At a single seed there is no deviation.
    if row["final_deviation"] is not None:
        final += f" ± {row['final_deviation']:.2g}"
    return final


def _reached(row: Mapping[str, Any], unit: str) -> str:
    """The mean time to the target, or the median if a seed did not reach it."""
    reached = f"({row['reached_target']} of {row['seeds']})"
    missed = row["seeds"] - row["reached_target"]
    if not missed:
        return f"{_count(row[f'{unit}_to_target'])} {reached}"
    median = row[f"{unit}_to_target_median"]
    if median is None:
        return f"not reached by {missed} of {row['seeds']}"
    return f"median {_count(median)} {reached}"


def _fresh(row: Mapping[str, Any]) -> str:
    """The mean with fresh seeds, or how many of these trainings failed."""
    from evonas.insight.charts import cell

    if row["fresh_failures"]:
        return f"{row['fresh_failures']} failed"
    return cell(row["fresh"])


def _count(value: float) -> str:
    """A mean of counts, or a part of the budget: `0.4`, `28`."""
    return f"{value:,.1f}".removesuffix(".0")
