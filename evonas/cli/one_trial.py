"""A trial in words: what came of it, and of each attempt at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evonas.evaluate.contract.protocol import ACCUMULATION
from evonas.evaluate.training.learning_curve import Stopped

if TYPE_CHECKING:
    from evonas.api import RecordedTrial
    from evonas.runtime.record.rows import Attempt

CUT = "with half the batch and two gradient accumulation steps, for want of device memory"


def lines(trial: RecordedTrial) -> list[str]:
    """What `evonas show RUN --trial N` prints."""
    from evonas.cli.console import number

    lineage = trial.lineage
    of = f" of {' and '.join(map(str, lineage.parents))}" if lineage.parents else ""
    told = [
        f"Trial {trial.id}: {trial.state}, generation {lineage.generation}, {lineage.operator}{of}"
    ]
    if trial.twin_of is not None:
        told.append(f"  a twin of trial {trial.twin_of}, whose outcome it has")
    told += [
        f"  {name} {number(value)}" for name, value in trial.metrics.items() if name != ACCUMULATION
    ]
    if is_cut(trial):
        told.append(f"  trained {CUT}")
    for attempt, earlier in _with_earlier(trial):
        told.append(
            f"  attempt {attempt.number}, session {attempt.session}: {_attempt(attempt, earlier)}"
        )
    return told


def is_cut(trial: RecordedTrial) -> bool:
    """Whether it was trained with cut batches."""
    return trial.metrics.get(ACCUMULATION, 1) > 1


def as_plain(attempt: Attempt) -> dict[str, Any]:
    """An attempt as plain JSON."""
    return {
        "number": attempt.number,
        "session": attempt.session,
        "state": attempt.state,
        "epochs": attempt.epochs,
        "seconds": attempt.seconds,
        "message": attempt.message,
        "details": dict(attempt.details),
    }


def _with_earlier(trial: RecordedTrial) -> list[tuple[Attempt, Sequence[Attempt]]]:
    attempts = trial.attempts()
    return [(attempt, attempts[:position]) for position, attempt in enumerate(attempts)]


def _attempt(attempt: Attempt, earlier: Sequence[Attempt]) -> str:
    from evonas.runtime.loop.retries import accumulation, runs_alone

    words = [attempt.state]
    if attempt.epochs:
        words.append(f"after {attempt.epochs} epochs")
    if attempt.seconds:
        words.append(f"in {attempt.seconds:.1f} s")
    told = " ".join(words)
    if attempt.details.get(ACCUMULATION, accumulation(earlier)) > 1:
        told += f", {CUT}"
    if runs_alone(earlier):
        told += ", alone on the device"
    if stop := Stopped.in_details(attempt.details):
        told += f", {stopped(stop)}"
    return f"{told}: {attempt.message}" if attempt.message else told


def stopped(stop: Stopped) -> str:
    """Why a training was stopped, in words."""
    from evonas.cli.console import number

    why = (
        f"at best {number(stop.at_best)} was predicted, the incumbent had {number(stop.incumbent)}"
    )
    return f"stopped at epoch {stop.epoch} of {stop.epochs}: {why}"
