"""Jobs: what a worker is told to train, made from a trial; and where the files of a trial are."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.evaluate.contract.protocol import ACCUMULATION, Job
from evonas.randomness import training_seed
from evonas.trial import Outcome, Trial, TrialState

DISK = "disk"
"""The cause, in an outcome's details, of an attempt whose worker could not write."""


def training_job(
    trial: Trial,
    attempt: int,
    session: int,
    seed: int,
    resume_from: str | None = None,
    parts: int = 1,
    trained: int = 0,
    incumbent: float | None = None,
) -> Job:
    """The training of a trial; the same for a search, and for weights that have to be made again.

    Args:
        attempt: its number, from the record.
        session: of the record.
        seed: of the run.
        resume_from: the path of the checkpoint that the training goes on from.
        parts: in which batches are trained.
        trained: epochs of the training that it goes on from.
        incumbent: that the training has to reach (`evonas.runtime.incumbents`).
    """
    return Job(
        kind="train",
        trial=trial.id,
        attempt=attempt,
        session=session,
        genome=trial.genome.to_dict(),
        seed=training_seed(seed, trial.genome.digest, trial.proposal.repeat),
        epochs=trial.proposal.fidelity.epochs,
        weights=weights_path(trial.id),
        checkpoint=checkpoint_path(trial.id),
        resume_from=resume_from,
        accumulation=parts,
        trained=trained,
        incumbent=incumbent,
    )


def parts_before(trial: Trial, trials: Sequence[Trial]) -> int:
    """In how many parts batches were trained by the trial that this one continues; 1 where it continues none.

    Args:
        trials: of the run, by id.
    """
    before = trial.proposal.resume_from
    return 1 if before is None else int(trials[before].metrics.get(ACCUMULATION, 1))


def epochs_before(trial: Trial, trials: Sequence[Trial]) -> int:
    """Epochs of the training that this trial continues; 0 where it begins anew. Arguments as for `parts_before`."""
    before = trial.proposal.resume_from
    return 0 if before is None else trials[before].proposal.fidelity.epochs


def weights_path(trial: int) -> str:
    """Where the best epoch's weights of a trial are, relative to the run directory."""
    return f"weights/{trial:05d}.npz"


def checkpoint_path(trial: int) -> str:
    """Where the exact state of a training is kept while it runs, relative to the run directory."""
    return f"checkpoints/{trial:05d}.npz"


def trained(trials: Sequence[Trial], id: int) -> int:
    """The trial whose training has made the files of this one: itself, or the one that it is a twin of."""
    first = trials[id].twin_of
    return id if first is None else first


def could_not_write(outcome: Outcome) -> bool:
    """Whether a worker has lost its work because the disk would not take it."""
    return outcome.state is TrialState.LOST and outcome.details.get("cause") == DISK
