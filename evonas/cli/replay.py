"""`evonas replay`: one trial, trained once more in the foreground."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from evonas.runtime.replay import Plan, Replay

NAME = "replay"


def command(
    run: RunArgument,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", help="A trial's number.")],
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Train exactly one trial of a run once more, in this process, with everything that it prints, and compare.

    The genome, the seed, the epochs and the cut of the batches are those of the trial's last attempt. Nothing is
    written into the run and no lock is taken: the run may go on meanwhile. There is no limit on time, and a genome that
    kills its process kills this replay and nothing else. Exit code 4: the outcome is not the recorded one.
    """
    from evonas.cli.console import console, find_run, print_json
    from evonas.errors import NotRepeatable
    from evonas.runtime.replay import plan_replay, run_replay

    plan = plan_replay(find_run(run, runs), trial)
    if as_json:
        with contextlib.redirect_stdout(sys.stderr):  # networks may print
            done = run_replay(plan, lambda epoch, metrics: None)
        print_json(as_plain(done))
        if done.differences:
            raise SystemExit(NotRepeatable.exit_code)
        return
    out = console()
    out.print(_about(plan), soft_wrap=True)
    done = run_replay(
        plan,
        lambda epoch, metrics: out.print(f"  epoch {epoch}: {_numbers(metrics)}", soft_wrap=True),
    )
    outcome = done.outcome
    out.print(
        f"It ended as `{outcome.state}` after {outcome.epochs} epochs, {outcome.seconds:.1f} s.",
        soft_wrap=True,
    )
    for words in (outcome.message, _numbers(outcome.metrics)):
        if words:
            out.print(f"  {words}", soft_wrap=True)
    if done.differences:
        raise NotRepeatable(
            f"trial {trial} of {plan.root}: {'; '.join(done.differences)}.{_hint(plan)}"
        )
    same = f"The record says the same, bit for bit.{_hint(plan)}"
    out.print(
        same if done.is_compared else "The record has no outcome to compare with yet.",
        soft_wrap=True,
    )


def as_plain(done: Replay) -> dict[str, Any]:
    """A replay as plain JSON; `same` is null where there is no recorded outcome."""
    plan, outcome = done.plan, done.outcome
    attempt = plan.attempt
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
            "history": {name: list(values) for name, values in outcome.history.items()},
        },
        "same": not done.differences if done.is_compared else None,
        "differences": list(done.differences),
        "versions": {name: list(pair) for name, pair in plan.versions.items()},
    }


def _about(plan: Plan) -> str:
    job = plan.job
    what = f"Trial {plan.trial.id} of {plan.root}, up to {job.epochs} epochs, seed {job.seed}"
    if plan.trial.twin_of is not None:
        what += f"; it is a twin of trial {plan.trial.twin_of}, whose training this is"
    if job.accumulation > 1:
        what += f"; batches in {job.accumulation} parts, as in its last attempt"
    recorded = plan.trial.state if plan.trial.state.is_final else "not known yet"
    said = f": {plan.attempt.message}" if plan.attempt is not None and plan.attempt.message else ""
    return f"{what}.\nIts recorded outcome is {recorded}{said}"


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in metrics.items())


def _hint(plan: Plan) -> str:
    others = ", ".join(f"{name} {then} (now {now})" for name, (then, now) in plan.versions.items())
    return f" The record was made with {others}." if others else ""
