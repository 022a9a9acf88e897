"""`evonas show`: what came of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption, whole_number
from evonas.files import expanded
from evonas.invocation import command as command_line
from evonas.trial import TrialState
from evonas.words import counted, number

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.trial import Brief, Trial
    from evonas.view import RecordedTrial, Run

NAME = "show"


def command(
    run: RunArgument,
    trials: Annotated[
        bool, typer.Option("--trials", help="List every trial, the best first.")
    ] = False,
    trial: Annotated[
        int | None,
        typer.Option(
            "--trial",
            metavar="TRIAL",
            parser=whole_number("--trial", 0),
            help="One trial only, and every attempt at it.",
        ),
    ] = None,
    front: Annotated[
        Path | None,
        typer.Option(
            "--front",
            metavar="FILE",
            parser=expanded,
            help="Draw the front of several objectives to an `.svg` file.",
        ),
    ] = None,
    expected: Annotated[
        Path | None,
        typer.Option(
            "--expected",
            metavar="FILE",
            parser=expanded,
            help="Draw what a surrogate expected beside what was found, to an `.svg` file.",
        ),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Show a run: the winner, its scores, how the trials ended. Works while the run goes on.

    With several objectives, also the front: the trials of which no other one is as good in all
    of them and better in one.
    """
    from evonas.cli.console import find_run
    from evonas.cli.pictures import draw_expected, draw_front
    from evonas.view import load

    view = load(find_run(run, runs))
    if front is not None:
        draw_front(view, front)
    elif expected is not None:
        draw_expected(view, expected)
    elif trial is not None:
        _print_trial(view.trial(trial), as_json)
    elif as_json:
        _print_as_json(view, trials)
    else:
        _print_run(view, trials)


def _print_trial(trial: RecordedTrial, as_json: bool) -> None:
    """One trial, and every attempt at it."""
    from evonas.cli import one_trial
    from evonas.cli.console import console, print_json, say

    if as_json:
        attempts = trial.attempts()
        plain = [one_trial.as_plain(attempt) for attempt in attempts]
        briefs = [attempt.brief for attempt in attempts]
        print_json({**as_plain(trial.run, trial.trial, briefs), "attempts": plain})
        return
    out = console()
    for words in one_trial.lines(trial):
        say(out, words)


def _print_as_json(view: Run, with_trials: bool) -> None:
    """The run's summary, and all of its trials on request."""
    from evonas.cli.console import print_json, print_json_pieces
    from evonas.cli.json_text import with_rows

    summary = view.summary()
    if not with_trials:
        print_json(summary)
        return
    attempts = view.briefs()
    rows = (as_plain(view, trial, attempts.get(trial.id, ())) for trial in view.trials)
    print_json_pieces(with_rows(summary, "all_trials", rows))


def _print_run(view: Run, with_trials: bool) -> None:
    """How the trials ended, then the winner or, while there is none, how to go on."""
    from evonas.cli.console import console, say
    from evonas.cli.search import conclude
    from evonas.cli.trial_table import print_trials

    out = console()
    say(out, _headline(view), style="bold")
    if view.space_choice:
        say(out, f"note: {view.space_choice}")
    for change in view.code_changes:
        say(out, f"note: {change.in_words()}")
    if with_trials:
        print_trials(view, out)
    if view.result is not None:
        conclude(view)
    else:
        _print_unfinished(view, out)


def _headline(view: Run) -> str:
    """The run's name, how many of its trials are done, and how they ended."""
    # Duplicates spend no budget. They have the states of others, so they are told apart.
    own = [trial for trial in view.trials if trial.twin_of is None]
    done = [trial for trial in own if trial.state.is_final]
    counts = Counter(trial.state for trial in done)
    # They are no part of what was done, in `evonas list` neither.
    cancelled = counts.pop(TrialState.CANCELLED, 0)
    counts[TrialState.INFEASIBLE] -= view.given_back
    # A fixed order, unlike that of the counter.
    states = [f"{counts[state]:,} {state}" for state in TrialState if counts[state]]
    words = f"Run {view.title}: {counted(counts.total(), 'trial')}{_budget(view)}"
    if states:
        words += f" ({', '.join(states)})"
    if view.given_back:
        words += f", {view.given_back:,} more infeasible"
    if cut_short := sum(trial.is_cut_short for trial in own):
        words += f", {cut_short:,} cut short"
    if cancelled:
        words += f", {cancelled:,} cancelled"
    if begun := len(own) - len(done):
        words += f", {begun:,} waiting or running"
    if duplicates := len(view.trials) - len(own):
        words += f", {counted(duplicates, 'duplicate')}"
    return words


def _budget(view: Run) -> str:
    """The budget in words, after a number of trials."""
    budget = view.budget
    if list(budget.given) == ["trials"]:
        return f" of {budget.trials:,}"
    return f"; budget {budget}"


def _print_unfinished(view: Run, out: Console) -> None:
    """The best so far, and whether and how the run goes on."""
    from evonas.cli.console import say
    from evonas.cli.front import print_constraints, print_front
    from evonas.cli.winner import findings_in_words, print_more_time, print_words

    best = view.best
    if best is not None and best.fitness is not None:
        value = best.fitness.value
        say(out, f"Best so far: trial {best.id}, {view.objective.name} {number(value)}")
    print_constraints(view)
    for words in findings_in_words(view.trials):
        print_words(words, out)
    print_front(view)
    # Another process may work on it right now.
    if view.is_going_on:
        say(out, "It is going on.")
    elif view.is_finished:
        say(out, "It has ended, and no trial succeeded.")
        print_more_time(view, out)
    else:
        say(out, f"To go on:  {command_line('resume', view.directory)}")


def as_plain(view: Run, trial: Trial, attempts: Sequence[Brief]) -> dict[str, object]:
    """A trial as plain JSON."""
    from evonas.cli.trial_table import in_numbers, message_of

    fitness = trial.fitness
    expected = trial.proposal.expected
    # Decoded apart from the trial, which stays small: there may be very many.
    genome = trial.genome.decoded()
    return {
        "id": trial.id,
        "state": str(trial.state),
        "message": message_of(trial, attempts),
        "value": None if fitness is None else fitness.value,
        "violation": None if fitness is None else fitness.violation,
        "metrics": dict(trial.metrics),
        **in_numbers(view, trial, attempts, genome),
        "generation": trial.lineage.generation,
        "operator": trial.lineage.operator,
        "parents": list(trial.lineage.parents),
        "expected": None if expected is None else asdict(expected),
        "twin_of": trial.twin_of,
        "digest": genome.digest,
        "genome": genome.to_dict(),
    }
