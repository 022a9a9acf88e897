"""The winner, trained again with fresh seeds: how much of its score was luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas.data.prepared import FILES
from evonas.evaluate.contract.protocol import Job, RefitJob, ScoreJob, TrainJob
from evonas.export.refitting import refit_job
from evonas.export.retraining import run_job
from evonas.learning.metrics import VALIDATION
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
            trained = run_job(session, train)
            if trained.state is not TrialState.OK:
                continue
            made: Job = train
            means: Mapping[str, float] = {}
            if session.config.folds is not None:
                # The folds give the scores on validation data, and one network those of the test.
                means = _of_validation(trained.metrics)
                made = _refit(session, trial, number, trained.metrics["best_epoch"])
                if run_job(session, made).state is not TrialState.OK:
                    continue
            outcome = run_job(session, _score(made, {"x": x, "y": y}))
            if outcome.state is TrialState.OK:
                found.append({**means, **outcome.metrics})
        finally:
            for path in session.layout.root.glob(f"{FRESH}{number}.*"):
                path.unlink()
    return found


def _of_validation(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name.startswith(VALIDATION)}


def _score(train: Job, arrays: Mapping[str, str]) -> ScoreJob:
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


def _refit(session: Session, trial: Trial, number: int, best_epoch: float) -> RefitJob:
    """The training on the data of all folds, with the seed of the same repeat."""
    repeat = trial.proposal.repeat + number
    return refit_job(session, trial, repeat, f"{FRESH}{number}.refitted.npz", best_epoch)
