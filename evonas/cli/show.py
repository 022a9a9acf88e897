"""`evonas show`: what came of a run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from rich.console import Console

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
    from evonas.cli.console import find_run
    from evonas.cli.front import draw

    view = api.load(find_run(run, runs))
    if front is not None:
        draw(view, front)
    elif trial is not None:
        _print_trial(view.trial(trial), as_json)
    elif as_json:
        _print_as_json(view, trials)
    else:
        _print_run(view, trials)


def _print_trial(trial: RecordedTrial, as_json: bool) -> None:
    """One trial, and every attempt at it."""
    from evonas.cli import one_trial
    from evonas.cli.console import console, print_json

    if as_json:
        attempts = [one_trial.as_plain(attempt) for attempt in trial.attempts()]
        print_json({**as_plain(trial), "attempts": attempts})
        return
    words = "\n".join(one_trial.lines(trial))
    console().print(words, soft_wrap=True)


def _print_as_json(view: Run, with_trials: bool) -> None:
    """The run's summary, and all of its trials on request."""
    from evonas.cli.console import print_json

    plain = dict(view.summary())
    if with_trials:
        plain["all_trials"] = [as_plain(trial) for trial in view.trials]
    print_json(plain)


def _print_run(view: Run, with_trials: bool) -> None:
    """How the trials ended, then the winner or, while there is none, how to go on."""
    from evonas.cli.console import console
    from evonas.cli.search import conclude

    out = console()
    out.print(_headline(view), style="bold")
    if with_trials:
        out.print(_trial_table(view))
    if view.result is not None:
        conclude(view)
    else:
        _print_unfinished(view, out)


def _headline(view: Run) -> str:
    """The run's name, how many of its trials are done, and how they ended."""
    summary = view.summary()
    # Duplicates spend no budget, so that they are not counted beside it.
    trials = summary["trials"] - summary["twins"]
    states = ", ".join(f"{count} {state}" for state, count in summary["states"].items())
    return f"Run {view.name}: {trials} trials{_budget(view)} ({states})"


def _budget(view: Run) -> str:
    """The budget in words, after a number of trials."""
    budget = view.config.budget
    if list(budget.given) == ["trials"]:
        return f" of {budget.trials}"
    return f"; budget {budget}"


def _print_unfinished(view: Run, out: Console) -> None:
    """The best so far, and whether and how the run goes on."""
    from evonas.cli.front import print_constraints, print_front

    best = view.best
    if best is not None and best.fitness is not None:
        value = best.fitness.value
        out.print(f"Best so far: trial {best.id}, {view.objective.name} {value:.4f}")
    print_constraints(view)
    print_front(view)
    # Another process may work on it right now.
    if view.is_going_on:
        out.print("It is going on.")
    elif view.is_finished:
        out.print("It has ended, and no trial succeeded.")
    else:
        directory = shlex.quote(str(view.directory))
        out.print(f"To go on:  evonas resume {directory}", soft_wrap=True)


def as_plain(trial: RecordedTrial) -> dict[str, object]:
    """A trial as plain JSON."""
    fitness = trial.fitness
    return {
        "id": trial.id,
        "state": str(trial.state),
        "message": trial.message(),
        "value": None if fitness is None else fitness.value,
        "violation": None if fitness is None else fitness.violation,
        "metrics": dict(trial.metrics),
        "generation": trial.lineage.generation,
        "operator": trial.lineage.operator,
        "parents": list(trial.lineage.parents),
        "twin_of": trial.twin_of,
        "digest": trial.genome.digest,
        "genome": trial.genome.to_dict(),
    }


def _trial_table(view: Run) -> object:
    """Every trial, the best first."""
    from rich import box
    from rich.table import Table

    from evonas.trial import rank

    companions = _companions(view)
    table = Table(box=box.SIMPLE)
    for name in ("trial", "generation", "state", view.objective.name):
        table.add_column(name)
    for name in (*companions, "operator", "parents"):
        table.add_column(name)
    for trial in sorted(view.trials, key=rank):
        lineage = trial.lineage
        table.add_row(
            str(trial.id),
            str(lineage.generation),
            _state(trial),
            *_numbers(trial, companions),
            lineage.operator,
            " ".join(map(str, lineage.parents)),
        )
    return table


def _companions(view: Run) -> list[str]:
    """The metrics beside the objective that the table of trials shows."""
    usual: tuple[str, ...]
    if view.has_networks:
        usual = (view.interface.metric, "parameters")
    else:
        usual = _others(view)
    # A usual metric is shown as measured on validation data, so that it is not shown twice.
    shown = [view.objective.name]
    for name in usual:
        shown.append(f"val_{name}")
    companions = [name for name in view.config.metrics() if name not in shown]
    companions += usual
    return list(dict.fromkeys(companions))


def _others(view: Run) -> tuple[str, ...]:
    """The metrics beside the objective that an evaluator has given, at most three."""
    found: dict[str, None] = {}
    for trial in view.trials:
        for name in trial.metrics:
            found[name] = None
    found.pop(view.objective.name, None)
    return tuple(found)[:3]


def _state(trial: RecordedTrial) -> str:
    """What became of a trial, in the words of the table."""
    from evonas.cli.one_trial import is_cut

    # The state of a duplicate is that of the trial which it names.
    if trial.twin_of is not None:
        return f"twin of {trial.twin_of}"
    state = str(trial.state)
    if is_cut(trial):
        state += ", cut batches"
    return state


def _numbers(trial: RecordedTrial, companions: list[str]) -> list[str]:
    """The trial's value, and its other metrics."""
    from evonas.cli.console import number

    value = None if trial.fitness is None else trial.fitness.value
    numbers = [number(value)]
    for name in companions:
        # Sizes have no prefix: they are the same on all data.
        plain = trial.metrics.get(name)
        numbers.append(number(trial.metrics.get(f"val_{name}", plain)))
    return numbers
