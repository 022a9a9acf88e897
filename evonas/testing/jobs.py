"""Setups and jobs for tests that need one and do not care which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas.evaluate.contract.protocol import ExportJob, Setup, TrainJob
from evonas.genome import Gene, Genome, Value


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


def make_job(trial: int = 0, **changes: Any) -> TrainJob:
    """A training job whose genome only a stub can read; it differs for each trial."""
    job = TrainJob(
        trial=trial,
        attempt=0,
        session=1,
        genome=stub_genome(of=trial),
        seed=trial,
        epochs=3,
        weights=f"weights/{trial}.npz",
    )
    return replace(job, **changes)


def make_export(trial: int = 0, model: str = "best.keras", **changes: Any) -> ExportJob:
    """The export of what `make_job` trains."""
    train = make_job(trial)
    job = ExportJob(
        trial=trial,
        attempt=0,
        session=1,
        genome=train.genome,
        seed=trial,
        epochs=train.epochs,
        weights=train.weights,
        model=model,
    )
    return replace(job, **changes)


def stub_genome(**params: Value) -> Genome:
    """A genome of one gene, with these parameters."""
    gene = Gene.make("gene", params, innovation=1)
    return Genome((("stub", (gene,)),))
