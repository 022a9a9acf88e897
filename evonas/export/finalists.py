"""The finalists: the best trials are trained again, and their new scores choose the winner.

The recorded score of the best of many is better than the network is, because it is the best of
many. So that score chooses the finalists and counts no more. Each new training is an event of the
record, noted when it ends: a session that was killed in between does none of them twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from evonas.evaluate.contract.protocol import ACCUMULATION
from evonas.export.retraining import run_job
from evonas.randomness import training_seed
from evonas.runtime.config.limits_config import FinalistsConfig
from evonas.runtime.loop.jobs import training_job
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.stopping import Urgency
from evonas.runtime.openings import FRESH
from evonas.runtime.session import Session
from evonas.trial import CUT_SHORT, Outcome, Trial, TrialState, rank
from evonas.words import counted

FINALISTS = "finalists"
"""Key of a card: a row for each finalist."""
TRAINED = "finalist trained"
"""The event of such a training."""
FIRST_REPEAT = 1_000_000
"""Repeats from here on are those of finalists: no strategy and no comparison has their seeds."""


@dataclass(frozen=True)
class Chosen:
    """The winner, and what its card tells of the choice.

    Attributes:
        winner: None if no trial has succeeded.
        told: a row for each finalist, the best first; empty if nothing was trained again.
    """

    winner: Trial | None
    told: Sequence[Mapping[str, Any]] = ()


def chosen(
    session: Session,
    trials: Sequence[Trial],
    incumbent: Trial | None,
    room: float | None,
    observers: Sequence[Observer],
) -> Chosen:
    """Train the finalists again, and choose the winner by the mean of their new scores.

    Test data stay closed. Without finalists, the incumbent is the winner.

    Args:
        trials: all trials, by id.
        incumbent: the best trial by the recorded scores; None if none has succeeded.
        room: seconds of the budget that are left for it; None without a limit.

    Raises:
        Stopped: a signal came; the next session goes on where this one has ended.
    """
    wanted = session.config.chosen_again
    if wanted is None or incumbent is None:
        return Chosen(incumbent)
    known = _known(session)
    among = _that_fit(session, finalists(trials, wanted.count), wanted, room, known)
    if len(among) < 2:
        teller(observers)(_why_none(trials, wanted))
        return Chosen(incumbent)
    missing = sum(_missing(trial, wanted, known) for trial in among)
    if missing:
        words = f"training {len(among)} finalists again, {counted(missing, 'training')}"
        for observer in observers:
            observer.on_wait(words)
    rows = []
    for trial in among:
        trainings = []
        for number in range(wanted.trainings):
            again = known.get(_key(trial, number))
            trainings.append(again or _train(session, trial, number))
        rows.append(_row(session, trial, trainings))
    rows.sort(key=_order)
    if rows[0]["value"] is None:
        return Chosen(incumbent, rows)
    return Chosen(trials[rows[0]["trial"]], rows)


def finalists(trials: Sequence[Trial], count: int) -> list[Trial]:
    """The best trials by the recorded scores, each genome once."""
    found: dict[str, Trial] = {}
    own = [one for one in trials if one.twin_of is None and one.fitness is not None]
    for trial in sorted(own, key=rank):
        if trial.state is TrialState.OK:
            found.setdefault(trial.genome.digest, trial)
        if len(found) == count:
            break
    return list(found.values())


Key = tuple[int, int, int]
"""A trial, the number of the training, and the epochs that it may have."""


def _key(trial: Trial, number: int) -> Key:
    return (trial.id, number, _epochs(trial))


def _epochs(trial: Trial) -> int:
    """The epochs that a training of this trial may have; fewer if a deadline has ended it."""
    return int(trial.metrics.get(CUT_SHORT, trial.proposal.fidelity.epochs))


def _missing(trial: Trial, wanted: FinalistsConfig, known: Mapping[Key, Mapping[str, Any]]) -> int:
    """How many new trainings of a trial are still to be done."""
    return sum(_key(trial, number) not in known for number in range(wanted.trainings))


def _known(session: Session) -> dict[Key, Mapping[str, Any]]:
    """The trainings that this session or an earlier one has done."""
    return {
        (detail["trial"], detail["number"], detail["epochs"]): detail
        for _, kind, detail in session.record.events()
        if kind == TRAINED
    }


def _that_fit(
    session: Session,
    among: list[Trial],
    wanted: FinalistsConfig,
    room: float | None,
    known: Mapping[Key, Mapping[str, Any]],
) -> list[Trial]:
    """Those of the finalists for which there is time, the best first."""
    if room is None:
        return among
    found = []
    for trial in among:
        attempts = session.record.attempts(trial.id)
        seconds = max((one.seconds or 0.0 for one in attempts), default=0.0)
        room -= _missing(trial, wanted, known) * seconds
        if room < 0:
            break
        found.append(trial)
    return found


def _why_none(trials: Sequence[Trial], wanted: FinalistsConfig) -> str:
    """Why nothing is trained again, as a sentence."""
    if len(finalists(trials, wanted.count)) < 2:
        return "no finalists are trained again: a single genome has succeeded"
    return (
        "no finalists are trained again: the budget leaves no time for two of them, so the best"
        " recorded score chooses the winner"
    )


def _train(session: Session, trial: Trial, number: int) -> Mapping[str, Any]:
    """Train a finalist from scratch with a seed of its own, and note what came out."""
    if session.stop.urgency > Urgency.NONE:
        raise session.stop.error("stopped among the finalists; those that are trained are kept")
    repeat = FIRST_REPEAT + number
    seed = training_seed(session.config.seed, trial.genome.digest, repeat)
    # As in the search: what needed smaller parts of a batch there needs them again.
    parts = int(trial.metrics.get(ACCUMULATION, 1))
    own = training_job(trial, 0, session.record.session, session.config.seed, parts=parts)
    job = replace(own, seed=seed, weights=f"{FRESH}{number + 1}.npz", checkpoint=None)
    try:
        outcome = run_job(session, job)
    finally:
        (session.layout.root / job.weights).unlink(missing_ok=True)
    detail = _detail(trial, number, repeat, outcome)
    session.record.event(TRAINED, detail)
    return detail


def _detail(trial: Trial, number: int, repeat: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "trial": trial.id,
        "number": number,
        "repeat": repeat,
        "epochs": _epochs(trial),
        "state": str(outcome.state),
        "message": outcome.message,
        "seconds": outcome.seconds,
        "metrics": dict(outcome.metrics),
    }


def _row(session: Session, trial: Trial, trainings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the card tells of a finalist: the claimed score, and what was measured again."""
    found = []
    for one in trainings:
        fitness = session.objective.fitness(one["metrics"])
        if one["state"] == TrialState.OK and fitness is not None:
            found.append(fitness)
    assert trial.fitness is not None
    again = [one.value for one in found]
    violations = [one.violation for one in found]
    return {
        "trial": trial.id,
        "claimed": trial.fitness.value,
        "again": again,
        "value": fmean(again) if again else None,
        "violation": fmean(violations) if again else None,
        "failures": len(trainings) - len(again),
        "direction": trial.fitness.direction,
    }


def _order(row: Mapping[str, Any]) -> tuple[float, ...]:
    """For sorting best first: fewer failures, then Deb's rule for the means; the oldest of equals.

    A genome that fails with another seed is no good one to take home.
    """
    if row["value"] is None:
        return (1, row["failures"], 0.0, 0.0, row["trial"])
    value = row["value"] if row["direction"] == "min" else -row["value"]
    return (0, row["failures"], row["violation"], value, row["trial"])
