"""Jobs: what a worker is told to train, made from a trial; and the paths of a trial's files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evonas.evaluate.contract.protocol import ACCUMULATION, TrainJob
from evonas.randomness import training_seed
from evonas.trial import CUT_SHORT, Cause, Outcome, Trial, TrialState


def training_job(
    trial: Trial,
    attempt: int,
    session: int,
    seed: int,
    resume_from: str | None = None,
    parts: int = 1,
    trained: int = 0,
    incumbent: float | None = None,
    cut_after: int | None = None,
) -> TrainJob:
    """The training of a trial; the same in a search and for weights that have to be made again.

    Args:
        attempt: number of the attempt, from the record.
        session: number of the session, from the record.
        seed: seed of the run.
        resume_from: path of the checkpoint that the training continues.
        parts: number of parts in which a batch is trained.
        trained: epochs of the training that this one continues.
        incumbent: objective value that the training has to reach (`evonas.runtime.incumbents`).
        cut_after: number of epochs after which the training is cut short. None: as the trial was,
            if a deadline has ended it.
    """
    if cut_after is None and trial.is_cut_short:
        cut_after = int(trial.metrics[CUT_SHORT])
    # The seed depends on the genome, not on the trial's number: duplicates are one training.
    training = training_seed(seed, trial.genome.digest, trial.proposal.repeat)
    return TrainJob(
        trial=trial.id,
        attempt=attempt,
        session=session,
        genome=trial.genome,
        seed=training,
        epochs=trial.proposal.fidelity.epochs,
        weights=weights_path(trial.id),
        checkpoint=checkpoint_path(trial.id),
        resume_from=resume_from,
        accumulation=parts,
        trained=trained,
        incumbent=incumbent,
        cut_after=cut_after,
    )


def as_trained(job: TrainJob, outcome: Outcome) -> Outcome:
    """The outcome of a job, with how it was trained: in parts of a batch, or cut short."""
    details = outcome.details
    if job.accumulation > 1:
        details = replace(details, accumulation_steps=job.accumulation)
    if CUT_SHORT in outcome.metrics:
        details = replace(details, cut_short=outcome.epochs)
    return replace(outcome, details=details)


def parts_before(trial: Trial, trials: Sequence[Trial]) -> int:
    """The number of parts of a batch in the training that this trial continues; 1 without one.

    Args:
        trials: all trials of the run, by id.
    """
    before = trial.proposal.resume_from
    if before is None:
        return 1
    parts = trials[before].metrics.get(ACCUMULATION, 1)
    return int(parts)


def epochs_before(trial: Trial, trials: Sequence[Trial]) -> int:
    """The epochs of the training that this trial continues; 0 without one.

    Args:
        trials: all trials of the run, by id.
    """
    before = trial.proposal.resume_from
    if before is None:
        return 0
    return trials[before].proposal.fidelity.epochs


def weights_path(trial: int) -> str:
    """The file of a trial's best weights, relative to the run directory.

    With folds they are those of each fold's network in turn.
    """
    return f"weights/{trial:05d}.npz"


def refitted_path(trial: int) -> str:
    """The file of the weights of a network that was trained on the data of all folds."""
    return f"weights/{trial:05d}-refitted.npz"


def checkpoint_path(trial: int) -> str:
    """The file of the exact state of a running training, relative to the run directory."""
    return f"checkpoints/{trial:05d}.npz"


def could_not_write(outcome: Outcome) -> bool:
    """Whether a worker has lost its work because the disk would not take it."""
    if outcome.state is not TrialState.LOST:
        return False
    return outcome.details.cause is Cause.DISK
