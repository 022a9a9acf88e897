"""Setups and jobs for tests that need one and do not care which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas.evaluate.contract.protocol import Job, Setup


def make_setup(directory: Path, **changes: Any) -> Setup:
    """The setup of a classification run in `directory`, without limits."""
    setup = Setup(
        directory=str(directory),
        seed=0,
        space="space: none\n",
        interface={"task": "classification"},
        objective={"name": "val_loss", "direction": "min"},
    )
    return replace(setup, **changes)


def make_job(trial: int = 0, **changes: Any) -> Job:
    """A training job whose genome only a stub can read; it differs for each trial."""
    job = Job(
        kind="train",
        trial=trial,
        attempt=0,
        session=1,
        genome={"stub": trial},
        seed=trial,
        epochs=3,
        weights=f"weights/{trial}.npz",
    )
    return replace(job, **changes)
