"""Weights that are gone: the trial is trained again, as in the search.

The scores are compared with the record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evonas.errors import DiskFailure, EvonasError, InvalidRecord
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Job
from evonas.files import is_whole
from evonas.invocation import command
from evonas.learning.metrics import TIMES
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.loop.jobs import (
    checkpoint_path,
    could_not_write,
    parts_before,
    refitted_path,
    training_job,
    weights_path,
)
from evonas.runtime.loop.retries import RETRIES, accumulation
from evonas.runtime.loop.stopping import Urgency
from evonas.runtime.loop.storage import best_of
from evonas.runtime.openings import note_opening
from evonas.runtime.record.record import Record
from evonas.runtime.session import Session
from evonas.runtime.versions import made_with_in_words, other_versions
from evonas.trial import Outcome, Trial, TrialState
from evonas.words import excerpt

RETRAINED = "retrained"
"""The event of a training that was repeated."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Weights:
    """The weights of a trial.

    Attributes:
        path: file of the weights; its sha256 is in the record.
        metrics: scores of the training that has written it.
        is_new: whether it was written just now.
    """

    path: Path
    metrics: Mapping[str, float]
    is_new: bool


def check_weights(
    session_root: Path, files: Mapping[str, str], trial: Trial, has_folds: bool = False
) -> Path:
    """The path of the recorded weights of a trial's network.

    Args:
        has_folds: whether that network is the one that was trained on the data of all folds.

    Raises:
        InvalidRecord: they are missing, or not what the record says.
    """
    name = refitted_path(trial.trained_id) if has_folds else weights_path(trial.trained_id)
    path = session_root / name
    if name not in files or not is_whole(path, files[name]):
        raise InvalidRecord(
            f"the weights of trial {trial.id} ({path}) are missing or damaged; a run keeps those"
            " of its best trials and of trials that its search may continue. To train it again:"
            f"  {command('export', session_root, trial.id, '--to', 'model.keras')}"
        )
    return path


def weights_of(session: Session, trial: Trial, tell: Tell) -> Weights:
    """The weights of a trial that succeeded; trained again if they are deleted or damaged.

    Raises:
        EvonasError: the training does not succeed this time.
        DiskFailure, Stopped: nothing is lost.
    """
    try:
        path = check_weights(session.layout.root, session.record.files(), trial)
    except InvalidRecord:
        tell(f"the weights of trial {trial.id} are not kept, or damaged: it is trained again")
        # A duplicate's weights are the other trial's: that one is trained.
        first = replace(trial, id=trial.trained_id, twin_of=None)
        return _train_again(session, first, tell)
    return Weights(path, _metrics(session.record, trial), is_new=False)


def leave(session: Session, trial: Trial, weights: Weights) -> None:
    """Delete weights that were made again for a trial whose weights are not kept."""
    trials = session.record.trials(session.objective)
    kept = best_of(trials, session.config.storage.keep_best)
    if weights.is_new and trial.trained_id not in kept:
        weights.path.unlink(missing_ok=True)


def finish(session: Session, job: Job) -> Outcome:
    """One attempt at a job, from its submission to its outcome.

    Raises:
        Stopped: a second Ctrl-C or a SIGTERM came; the next session begins the job again.
    """
    session.pool.submit(job)
    while session.stop.urgency < Urgency.ABANDON:
        for report in session.pool.poll(timeout=1.0):
            if isinstance(report, Finished):
                return report.outcome
    raise session.stop.error("stopped before the export; nothing is lost")


def run_job(session: Session, job: Job) -> Outcome:
    """The outcome of a job; failures of the machine are tried again, as in a search.

    Raises:
        Stopped: a second Ctrl-C or a SIGTERM came; the next session does the job.
    """
    for count in itertools.count(1):
        note_opening(session.record, job)
        outcome = finish(session, replace(job, attempt=count - 1))
        if not may_retry(session, job, outcome, count):
            return outcome
    raise AssertionError("unreachable")


def may_retry(session: Session, job: Job, outcome: Outcome, attempts: int) -> bool:
    """Whether a job is tried again, as in a search.

    Args:
        attempts: number of attempts so far; `outcome` is that of the last one.

    Raises:
        DiskFailure: its worker could not write, and there is nothing to delete.
    """
    # Caches are deleted once, after the first attempt. A second failure shows that it did not help.
    if could_not_write(outcome) and (attempts > 1 or not session.storage.free([job])):
        raise DiskFailure(
            f"{outcome.message} Nothing is lost: make room at {session.layout.root}, then go on."
        )
    return attempts <= RETRIES.get(outcome.state, 0)


def _train_again(session: Session, trial: Trial, tell: Tell) -> Weights:
    """Train a trial as in the search; recorded as another attempt, and as an event.

    The trial's row stays as it is, whatever comes out: the search has seen that.

    Args:
        trial: a trial that is no duplicate.
    """
    outcome = _outcome(session, trial)
    if outcome.state is not TrialState.OK:
        why = excerpt(outcome.message)
        raise EvonasError(f"trial {trial.id} cannot be trained again ({outcome.state}): {why}")
    other = _other_metrics(trial, outcome, session.objective.name)
    # The event first. If only the file's hash were new after a kill, the new weights would be
    # compared with the old scores.
    detail = {
        "trial": trial.id,
        "metrics": dict(outcome.metrics),
        "same": not other,
        "different": other,
    }
    session.record.event(RETRAINED, detail)
    path = weights_path(trial.id)
    session.record.note_files({path: outcome.files[path]})
    # No sweep follows that would delete it. A greater budget may need that of an interrupted one.
    if not trial.is_cut_short:
        (session.layout.root / checkpoint_path(trial.id)).unlink(missing_ok=True)
    if other:
        phrases = []
        for name in other[:3]:
            # All digits: the difference may be in the last one.
            now = outcome.metrics.get(name)
            phrases.append(f"{name} {now} (recorded: {trial.metrics[name]})")
        told = f"trial {trial.id}, trained again, is not quite the same: {', '.join(phrases)}"
        tell(f"{told}.{_why(session)}")
    return Weights(session.layout.root / path, outcome.metrics, is_new=True)


def _why(session: Session) -> str:
    """What may explain a difference, as a sentence with a space before it."""
    changed = other_versions(session.inputs.versions, session.config)
    return made_with_in_words(changed) or " No version and no CPU has changed since the run began."


def _other_metrics(trial: Trial, outcome: Outcome, first: str) -> list[str]:
    """The names of the recorded metrics that differ now, `first` before all others."""
    names = sorted(trial.metrics, key=lambda name: (name != first, name))
    other = []
    for name in names:
        # No two measurements of a time are equal.
        if name not in TIMES and outcome.metrics.get(name) != trial.metrics[name]:
            other.append(name)
    return other


def _outcome(session: Session, trial: Trial) -> Outcome:
    """Train with everything that decided the recorded outcome: source, parts, seed, incumbent."""
    trials = session.record.trials(session.objective)
    source = session.storage.source(trials, trial)
    parts = accumulation(session.record.attempts(trial.id), parts_before(trial, trials))
    seed = session.config.seed
    incumbent = incumbent_for(session.record, session.config, trial.id)
    for count in itertools.count(1):
        number = session.record.start_attempt(trial.id)
        job = training_job(
            trial, number, session.record.session, seed, source, parts, incumbent=incumbent
        )
        outcome = finish(session, job)
        # Not final: the trial keeps the outcome that the search has seen.
        session.record.finish_attempt(trial, number, outcome, final=False)
        if not may_retry(session, job, outcome, count):
            return outcome
    raise AssertionError("unreachable")


def _metrics(record: Record, trial: Trial) -> Mapping[str, float]:
    """The scores that belong to the weights on the disk.

    They are the recorded ones, unless the trial was trained again.
    """
    first = trial.trained_id
    found = trial.metrics
    for _, kind, detail in record.events():
        if kind == RETRAINED and detail["trial"] == first:
            found = detail["metrics"]
    return found
