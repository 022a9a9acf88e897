"""Trainings over folds as jobs of a worker: one go or two, and the network of all data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from evonas.data.prepared import DataSettings, prepare
from evonas.data.sources import Npz
from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.protocol import Job, RefitJob, Setup, TrainJob, job_from_json
from evonas.evaluate.evaluators.registry import DEFAULT
from evonas.evaluate.training.checkpoint import load_weights
from evonas.evaluate.training.keras_jobs import run_job
from evonas.genome import Gene, Genome
from evonas.testing.jobs import make_export
from evonas.trial import Outcome, TrialState

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""

SPACE = """
space: folded
input: vector
network:
  layers: {length: 1, ops: {dense: {units: 4, dropout: 0.2}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.05, schedule: cosine}}}
  training: {ops: {training: {batch_size: 16}}}
"""
FOLDED = 3


def gene(op: str) -> Gene:
    return Gene.make(op, {}, innovation=1)


GENOME = Genome(
    (
        ("layers", (gene("dense"),)),
        ("optimizer", (gene("adam"),)),
        ("training", (gene("training"),)),
    )
)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 4))
    y = (x[:, 0] > x[:, 1]).astype(int)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    settings = DataSettings("vector", Npz(str(tmp_path / "data.npz")), folds=FOLDED)
    found = prepare(settings, tmp_path / "run")
    assert found.interface is not None
    return Setup(
        str(tmp_path / "run"),
        0,
        SPACE,
        found.interface.by_digest(),
        {"name": "val_loss", "direction": "min"},
        epochs=6,
        folds=FOLDED,
        evaluator=described(DEFAULT),
    )


def train_job(**changes: Any) -> TrainJob:
    job = TrainJob(
        trial=5,
        attempt=0,
        session=1,
        genome=GENOME,
        seed=11,
        epochs=6,
        weights="weights/00005.npz",
    )
    return replace(job, **changes)


def done(setup: Setup, job: Job) -> Outcome:
    told: list[int] = []
    outcome = run_job(setup, job_from_json(job.to_json()), lambda epoch, _: told.append(epoch))
    assert outcome.state is TrialState.OK, outcome.message
    return replace(outcome, seconds=0.0)


@pytest.mark.full
def test_in_one_go_or_in_two_and_then_on_all_data(setup: Setup) -> None:
    root = Path(setup.directory)
    whole = done(setup, train_job())
    assert whole.epochs == 6
    assert set(whole.metrics) == {
        "loss",
        "val_loss",
        "val_accuracy",
        "best_epoch",
        "parameters",
        "flops",
    }
    weights = load_weights(root / "weights/00005.npz")
    assert len(weights) == FOLDED * 4
    assert not np.array_equal(weights[0], weights[4])
    # Two epochs, and the rest in what might be another process.
    part = train_job(epochs=2, checkpoint="checkpoints/5.npz")
    done(setup, part)
    assert done(setup, replace(part, epochs=6)) == whole

    refit = RefitJob(
        trial=5,
        attempt=0,
        session=1,
        genome=GENOME,
        seed=11,
        epochs=int(whole.metrics["best_epoch"]),
        weights="weights/all.npz",
    )
    first = done(setup, refit)
    assert first.epochs == refit.epochs
    assert set(first.metrics) == {"loss", "parameters", "flops"}
    assert len(load_weights(root / "weights/all.npz")) == 4
    test = {"x": "data/test/x.npy", "y": "data/test/y.npy"}
    export = make_export(5, genome=GENOME, seed=11, weights=refit.weights, arrays=test)
    exported = done(setup, export)
    assert {"test_loss", "test_accuracy"} == set(exported.metrics)
    assert {"val_loss", "test_loss"} < set(exported.details.more["baseline"])
    closed = done(setup, replace(export, model="closed.keras", arrays={}))
    assert closed.metrics == {}


def test_one_fold_that_diverges_is_a_trial_that_diverges(setup: Setup) -> None:
    space = setup.space.replace("learning_rate: 0.05", "learning_rate: 1.0e+30")
    outcome = run_job(replace(setup, space=space), train_job(), lambda epoch, metrics: None)
    assert outcome.state is TrialState.DIVERGED
    assert "fold" in outcome.message
