"""`evonas replay`: one trial, trained once more in the foreground."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption, whole_number
from evonas.cli.quiet import startup_log_aside
from evonas.words import counted, excerpt, measured

if TYPE_CHECKING:
    from evonas.runtime.replay import Plan, Replay

NAME = "replay"


def command(
    run: RunArgument,
    trial: Annotated[
        int,
        typer.Argument(metavar="TRIAL", parser=whole_number("TRIAL", 0), help="A trial's number."),
    ],
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Train exactly one trial of a run once more, in this process, with everything that it prints,
    and compare.

    The genome, the seed, the epochs and the cut of the batches are those of the trial's last
    attempt. Nothing is written into the run and no lock is taken: the run may go on meanwhile.
    There is no limit on time, and a genome that kills its process kills this replay and nothing
    else. Exit code 4: the outcome is not the recorded one.
    """
    from evonas.cli.console import find_run
    from evonas.runtime.replay import plan_replay

    plan = plan_replay(find_run(run, runs), trial)
    if as_json:
        _replay_as_json(plan)
    else:
        _replay_in_words(plan, trial)


def _replay_as_json(plan: Plan) -> None:
    """Trains, and prints one JSON document.

    Raises:
        SystemExit: the outcome is not the recorded one.
    """
    from evonas.cli.console import print_json
    from evonas.errors import NotRepeatable
    from evonas.runtime.replay import run_replay, worker_of

    with startup_log_aside():
        run_job = worker_of(plan)
    # Networks may print, and standard output belongs to the JSON.
    with contextlib.redirect_stdout(sys.stderr):
        done = run_replay(plan, lambda epoch, metrics: None, run_job)
    print_json(as_plain(done))
    if done.differences:
        raise SystemExit(NotRepeatable.exit_code)


def _replay_in_words(plan: Plan, trial: int) -> None:
    """Trains, and tells of each epoch, of the outcome, and of what differs from the record.

    Raises:
        NotRepeatable: the outcome is not the recorded one.
    """
    from evonas.cli.console import console, say
    from evonas.errors import NotRepeatable
    from evonas.runtime.replay import run_replay, worker_of
    from evonas.runtime.versions import made_with_in_words

    out = console()

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        say(out, f"  epoch {epoch}: {_numbers(metrics)}")

    for words in _about(plan):
        say(out, words)
    with startup_log_aside():
        run_job = worker_of(plan)
    done = run_replay(plan, on_epoch, run_job)
    outcome = done.outcome
    epochs = counted(outcome.epochs, "epoch")
    say(out, f"It ended as `{outcome.state}` after {epochs}, {outcome.seconds:.1f} s.")
    for words in (excerpt(outcome.message), _numbers(outcome.metrics)):
        if words:
            say(out, f"  {words}")
    hint = made_with_in_words(plan.versions)
    if plan.code:
        hint += f" Besides, {plan.code}."
    if done.differences:
        told = "; ".join(done.differences)
        raise NotRepeatable(f"trial {trial} of {plan.root}: {told}.{hint}")
    verdict = "The record has no outcome to compare with yet."
    if done.is_compared:
        verdict = f"The record says the same, bit for bit.{hint}"
    say(out, verdict)


def as_plain(done: Replay) -> dict[str, Any]:
    """A replay as plain JSON; `same` is null if there is no recorded outcome."""
    plan = done.plan
    attempt = plan.attempt
    outcome = done.outcome
    return {
        "trial": plan.trial.id,
        "twin_of": plan.trial.twin_of,
        "attempt": None if attempt is None else attempt.number,
        "accumulation_steps": plan.job.accumulation,
        "recorded": {
            "state": str(plan.trial.state),
            "message": "" if attempt is None else attempt.message,
            "metrics": dict(plan.trial.metrics),
        },
        "replayed": {
            "state": str(outcome.state),
            "message": outcome.message,
            "metrics": dict(outcome.metrics),
            "epochs": outcome.epochs,
            "seconds": outcome.seconds,
            "history": _as_lists(outcome.history),
        },
        "same": not done.differences if done.is_compared else None,
        "differences": list(done.differences),
        "versions": _as_lists(plan.versions),
        "code": plan.code,
    }


def _as_lists(values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Sequences by name as lists: JSON knows nothing else."""
    return {name: list(some) for name, some in values.items()}


def _about(plan: Plan) -> tuple[str, str]:
    """What is going to be trained, and what the record says of it."""
    job = plan.job
    trial = plan.trial
    # One that a deadline has ended is repeated up to where it was.
    most = job.epochs if job.cut_after is None else min(job.epochs, job.cut_after)
    epochs = counted(most, "epoch")
    what = f"Trial {trial.id} of {plan.root}, up to {epochs}, seed {job.seed}"
    if trial.twin_of is not None:
        what += f"; it is a twin of trial {trial.twin_of}, whose training this is"
    if job.accumulation > 1:
        what += f"; batches in {job.accumulation} parts, as in its last attempt"
    recorded = "not known yet"
    if trial.state.is_final:
        recorded = f"`{trial.state}`"
    if plan.attempt is not None and plan.attempt.message:
        recorded += f": {excerpt(plan.attempt.message)}"
    # Many messages end with a full stop of their own.
    return (
        f"{what}.",
        f"Its recorded outcome is {recorded.removesuffix('.')}.",
    )


def _numbers(metrics: Mapping[str, float]) -> str:
    """Metrics on one line."""
    numbers = [f"{name} {measured(name, value)}" for name, value in metrics.items()]
    return ", ".join(numbers)
