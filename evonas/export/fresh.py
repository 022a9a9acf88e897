"""The winner, trained again with fresh seeds: how much of its score was luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas.data.prepared import FILES
from evonas.evaluate.contract.protocol import ScoreJob, TrainJob
from evonas.export.bundle import run_job
from evonas.randomness import training_seed
from evonas.runtime.loop.stopping import Urgency
from evonas.runtime.openings import FRESH
from evonas.runtime.session import Session
from evonas.trial import Trial, TrialState
from evonas.words import counted


def fresh_scores(session: Session, trial: Trial, count: int) -> Sequence[Mapping[str, float]]:
    """Train a trial's genome again, and score each training on validation and test data.

    The repeats are no trials and spend no budget; their files are deleted again. A training that
    fails is left out.

    Args:
        count: number of trainings, each with a seed of its own.

    Returns:
        For each success: `val_...` and `test_...` metrics.

    Raises:
        Stopped: a signal came; nothing is kept of these trainings.
    """
    found = []
    x, y = FILES["test"]
    for number in range(1, count + 1):
        if session.stop.urgency > Urgency.NONE:
            done = counted(number - 1, "training")
            raise session.stop.error(
                f"stopped after {done} with fresh seeds of {count:,}; they begin anew"
            )
        train = _job(session, trial, number)
        try:
            if run_job(session, train).state is not TrialState.OK:
                continue
            outcome = run_job(session, _score(train, {"x": x, "y": y}))
            if outcome.state is TrialState.OK:
                found.append(dict(outcome.metrics))
        finally:
            for path in session.layout.root.glob(f"{FRESH}{number}.*"):
                path.unlink()
    return found


def _score(train: TrainJob, arrays: Mapping[str, str]) -> ScoreJob:
    """What scores a training on validation and test data."""
    return ScoreJob(
        trial=train.trial,
        attempt=0,
        session=train.session,
        genome=train.genome,
        seed=train.seed,
        epochs=train.epochs,
        weights=train.weights,
        arrays=arrays,
    )


def _job(session: Session, trial: Trial, number: int) -> TrainJob:
    """The training with the seed of another repeat of the trial."""
    repeat = trial.proposal.repeat + number
    return TrainJob(
        trial=trial.id,
        attempt=0,
        session=session.record.session,
        genome=trial.genome,
        seed=training_seed(session.config.seed, trial.genome.digest, repeat),
        epochs=trial.proposal.fidelity.epochs,
        weights=f"{FRESH}{number}.npz",
    )
