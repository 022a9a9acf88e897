"""`evonas show`: what came of a run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from evonas.api import RecordedTrial, Run

NAME = "show"


def command(
    run: RunArgument,
    trials: Annotated[
        bool, typer.Option("--trials", help="List every trial, the best first.")
    ] = False,
    trial: Annotated[
        int | None,
        typer.Option("--trial", metavar="TRIAL", help="One trial only, and every attempt at it."),
    ] = None,
    front: Annotated[
        Path | None,
        typer.Option(
            "--front",
            metavar="FILE",
            help="Draw the front of several objectives to an `.svg` file.",
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Show a run: the winner, its scores, how the trials ended. Works while the run goes on.

    With several objectives, also the front: the trials that no other one beats in all of them.
    """
    from evonas import api
    from evonas.cli import one_trial
    from evonas.cli.console import console, find_run, print_json
    from evonas.cli.front import draw, print_constraints, print_front
    from evonas.cli.search import conclude

    view = api.load(find_run(run, runs))
    if front is not None:
        draw(view, front)
        return
    if trial is not None:
        chosen = view.trial(trial)
        if as_json:
            attempts = [one_trial.as_plain(attempt) for attempt in chosen.attempts()]
            print_json({**as_plain(chosen), "attempts": attempts})
            return
        console().print("\n".join(one_trial.lines(chosen)), soft_wrap=True)
        return
    if as_json:
        print_json(
            {
                **view.summary(),
                **({"all_trials": [as_plain(trial) for trial in view.trials]} if trials else {}),
            }
        )
        return
    summary = view.summary()
    states = ", ".join(f"{count} {state}" for state, count in summary["states"].items())
    out = console()
    out.print(
        f"Run {view.name}: {summary['trials'] - summary['twins']} trials{_budget(view)} ({states})",
        style="bold",
    )
    if trials:
        out.print(_trial_table(view))
    if view.result is not None:
        conclude(view)
        return
    if view.best is not None and view.best.fitness is not None:
        out.print(
            f"Best so far: trial {view.best.id}, {view.objective.name} {view.best.fitness.value:.4f}"
        )
    print_constraints(view)
    print_front(view)
    if view.is_going_on:
        out.print("It is going on.")
    elif view.is_finished:
        out.print("It has ended, and no trial succeeded.")
    else:
        out.print(f"To go on:  evonas resume {shlex.quote(str(view.directory))}", soft_wrap=True)


def _budget(view: Run) -> str:
    """The budget in words, after a number of trials."""
    budget = view.config.budget
    return f" of {budget.trials}" if list(budget.given) == ["trials"] else f"; budget {budget}"


def as_plain(trial: RecordedTrial) -> dict[str, object]:
    """A trial as plain JSON."""
    return {
        "id": trial.id,
        "state": str(trial.state),
        "message": trial.message(),
        "value": None if trial.fitness is None else trial.fitness.value,
        "violation": None if trial.fitness is None else trial.fitness.violation,
        "metrics": dict(trial.metrics),
        "generation": trial.lineage.generation,
        "operator": trial.lineage.operator,
        "parents": list(trial.lineage.parents),
        "twin_of": trial.twin_of,
        "digest": trial.genome.digest,
        "genome": trial.genome.to_dict(),
    }


def _trial_table(view: Run) -> object:
    from rich import box
    from rich.table import Table

    from evonas.cli.console import number
    from evonas.cli.one_trial import is_cut
    from evonas.trial import rank

    table = Table(box=box.SIMPLE)
    usual = (view.interface.metric, "parameters") if view.has_networks else _others(view)
    shown = (view.objective.name, *(f"val_{name}" for name in usual))
    companions = tuple(
        dict.fromkeys([*(name for name in view.config.metrics() if name not in shown), *usual])
    )
    for name in (
        "trial",
        "generation",
        "state",
        view.objective.name,
        *companions,
        "operator",
        "parents",
    ):
        table.add_column(name)
    for trial in sorted(view.trials, key=rank):
        state = str(trial.state) + (", cut batches" if is_cut(trial) else "")
        state = state if trial.twin_of is None else f"twin of {trial.twin_of}"
        metrics = (trial.metrics.get(f"val_{name}", trial.metrics.get(name)) for name in companions)
        value = None if trial.fitness is None else trial.fitness.value
        numbers = [number(item) for item in (value, *metrics)]
        lineage = trial.lineage
        table.add_row(
            str(trial.id),
            str(lineage.generation),
            state,
            *numbers,
            lineage.operator,
            " ".join(map(str, lineage.parents)),
        )
    return table


def _others(view: Run) -> tuple[str, ...]:
    """The metrics beside the objective that an evaluator has given, at most three."""
    names = dict.fromkeys(name for trial in view.trials for name in trial.metrics)
    return tuple(name for name in names if name != view.objective.name)[:3]
