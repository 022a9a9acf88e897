"""With folds a trial is a network for each fold; its genome is trained on all data for an export.

The test data stay closed. The refit lasts as long as the best epoch of the folds' means.
"""

from __future__ import annotations

from evonas.errors import EvonasError, InvalidRecord
from evonas.evaluate.contract.protocol import ACCUMULATION, RefitJob
from evonas.export.retraining import Tell, Weights, check_weights, run_job
from evonas.randomness import training_seed
from evonas.runtime.loop.jobs import refitted_path
from evonas.runtime.session import Session
from evonas.trial import Trial, TrialState
from evonas.words import counted, excerpt


def refitted(session: Session, trial: Trial, tell: Tell) -> Weights:
    """The weights of a trial's genome, trained on the data of all folds; made now if need be.

    Raises:
        EvonasError: the training does not succeed.
        DiskFailure, Stopped: nothing is lost.
    """
    root = session.layout.root
    try:
        path = check_weights(root, session.record.files(), trial, has_folds=True)
    except InvalidRecord:
        name = refitted_path(trial.trained_id)
        job = refit_job(session, trial, trial.proposal.repeat, name, trial.metrics["best_epoch"])
        epochs = counted(job.epochs, "epoch")
        tell(f"training the genome of trial {trial.id} on the data of all folds, {epochs}")
        outcome = run_job(session, job)
        if outcome.state is not TrialState.OK:
            why = excerpt(outcome.message)
            raise EvonasError(
                f"trial {trial.id} cannot be trained on the data of all folds"
                f" ({outcome.state}): {why}"
            ) from None
        session.record.note_files(dict(outcome.files))
        return Weights(root / name, trial.metrics, is_new=True)
    return Weights(path, trial.metrics, is_new=False)


def refit_job(
    session: Session, trial: Trial, repeat: int, weights: str, best_epoch: float
) -> RefitJob:
    """The training of a trial's genome on the data of all folds.

    Args:
        repeat: the seed is that of this repeat.
        weights: path of the file that it writes.
        best_epoch: the epoch with the best mean over the folds.
    """
    return RefitJob(
        trial=trial.id,
        attempt=0,
        session=session.record.session,
        genome=trial.genome,
        seed=training_seed(session.config.seed, trial.genome.digest, repeat),
        epochs=int(best_epoch),
        weights=weights,
        accumulation=int(trial.metrics.get(ACCUMULATION, 1)),
    )
