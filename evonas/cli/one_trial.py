"""A trial in words: what came of it, and of each attempt at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evonas.evaluate.contract.protocol import ACCUMULATION
from evonas.trial import CUT_SHORT, Stopped
from evonas.words import counted, excerpt, measured, number

if TYPE_CHECKING:
    from evonas.api import RecordedTrial
    from evonas.trial import Attempt, Trial

CUT = "with half the batch and two gradient accumulation steps, for want of device memory"

ENDED_BY_TIME = "cut short, because the budget's time was over; a greater budget continues it"


def lines(trial: RecordedTrial) -> list[str]:
    """What `evonas show RUN --trial N` prints."""
    lineage = trial.lineage
    origin = f"generation {lineage.generation}, {lineage.operator}"
    if lineage.parents:
        parents = " and ".join(map(str, lineage.parents))
        origin += f" of {parents}"
    told = [f"Trial {trial.id}: {trial.state}, {origin}"]
    if trial.twin_of is not None:
        told.append(f"  a twin of trial {trial.twin_of}, whose outcome it has")
    if words := _expected(trial.trial, trial.run.objective.name):
        told.append(f"  {words}")
    for name, value in trial.metrics.items():
        # They have lines of their own, in words.
        if name not in (ACCUMULATION, CUT_SHORT):
            told.append(f"  {name} {measured(name, value)}")
    if is_cut(trial.trial):
        told.append(f"  trained {CUT}")
    if trial.is_cut_short:
        most = counted(trial.proposal.fidelity.epochs, "epoch")
        given = f"{trial.metrics[CUT_SHORT]:,.0f} of at most {most}"
        told.append(f"  {given}: {ENDED_BY_TIME}")
    attempts = trial.attempts()
    for position, attempt in enumerate(attempts):
        # The attempts before it decide how an attempt was made.
        words = _attempt(attempt, attempts[:position])
        told.append(f"  attempt {attempt.number}, session {attempt.session}: {words}")
    return told


def _expected(trial: Trial, name: str) -> str:
    """What a surrogate expected of a trial, and what was found; empty if nothing was expected.

    Args:
        name: name of the first objective.
    """
    expected = trial.proposal.expected
    if expected is None:
        return ""
    low, high = measured(name, expected.low), measured(name, expected.high)
    told = f"a surrogate expected {name} {measured(name, expected.median)},"
    told += f" and two times in three {low} to {high}"
    if not trial.state.is_final:
        return told
    if trial.fitness is None:
        return f"{told}; nothing was found"
    return f"{told}; {measured(name, trial.fitness.value)} was found"


def is_cut(trial: Trial) -> bool:
    """Whether it was trained with cut batches."""
    steps = trial.metrics.get(ACCUMULATION, 1)
    return steps > 1


def as_plain(attempt: Attempt) -> dict[str, Any]:
    """An attempt as plain JSON."""
    return {
        "number": attempt.number,
        "session": attempt.session,
        "state": attempt.state,
        "epochs": attempt.epochs,
        "seconds": attempt.seconds,
        "message": attempt.message,
        "details": attempt.details.to_json(),
    }


def _attempt(attempt: Attempt, earlier: Sequence[Attempt]) -> str:
    """An attempt in words: its outcome, how it was made, and the message."""
    from evonas.runtime.loop.retries import accumulation, runs_alone

    told = attempt.state
    if attempt.epochs:
        told += f" after {counted(attempt.epochs, 'epoch')}"
    if attempt.seconds:
        told += f" in {attempt.seconds:.1f} s"
    # An attempt that gave no answer says nothing itself; the ones before it say how it was cut.
    steps = attempt.details.accumulation_steps or accumulation(earlier)
    if steps > 1:
        told += f", {CUT}"
    if runs_alone(earlier):
        told += ", alone on the device"
    if attempt.details.cut_short is not None:
        told += ", cut short"
    if (stop := attempt.details.stopped) is not None:
        told += f", {stopped(stop)}"
    if attempt.message:
        told += f": {excerpt(attempt.message)}"
    return told


def stopped(stop: Stopped) -> str:
    """Why a training was stopped, in words."""
    predicted = number(stop.at_best)
    incumbent = number(stop.incumbent)
    why = f"at best {predicted} was predicted, the incumbent had {incumbent}"
    return f"stopped at epoch {stop.epoch} of {stop.epochs}: {why}"
