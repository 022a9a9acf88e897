"""The winner, trained again with fresh seeds: how much of its score was luck."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evonas.data.prepared import FILES
from evonas.evaluate.contract.protocol import Job
from evonas.export.bundle import run_job
from evonas.randomness import training_seed
from evonas.runtime.session import Session
from evonas.trial import Trial, TrialState


def fresh_scores(session: Session, trial: Trial, count: int) -> Sequence[Mapping[str, float]]:
    """Train a trial's genome `count` times with training seeds of its own, and score each on validation and test data.

    The repeats are no trials and spend no budget; the files are deleted again. A training that fails is left out.

    Returns:
        for each success: `val_...` and `test_...` metrics.
    """
    found = []
    for number in range(1, count + 1):
        train = _job(session, trial, number)
        try:
            if run_job(session, train).state is not TrialState.OK:
                continue
            x, y = FILES["test"]
            name = f"fresh/{number}.keras"
            export = dataclasses.replace(train, kind="export", model=name, arrays={"x": x, "y": y})
            outcome = run_job(session, export)
            if outcome.state is TrialState.OK:
                found.append(dict(outcome.metrics))
        finally:
            for path in session.layout.root.glob(f"fresh/{number}.*"):
                path.unlink()
    return found


def _job(session: Session, trial: Trial, number: int) -> Job:
    repeat = trial.proposal.repeat + number
    return Job(
        kind="train",
        trial=trial.id,
        attempt=0,
        session=session.record.session,
        genome=trial.genome.to_dict(),
        seed=training_seed(session.config.seed, trial.genome.digest, repeat),
        epochs=trial.proposal.fidelity.epochs,
        weights=f"fresh/{number}.npz",
    )
