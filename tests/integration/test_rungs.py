"""Hyperband with real Keras trainings.

A trial that was continued has the very numbers of a training in one go, also under patience.
"""

from __future__ import annotations

import json

import pytest

import evonas
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import TrainJob
from evonas.evaluate.pools.inline import InlinePool
from evonas.files import sha256_of
from evonas.randomness import training_seed
from evonas.runtime.audit import audit
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.session import Session
from evonas.trial import TrialState

SPACE = """
space: steep
input: image
network:
  bridge: {ops: {flatten: {}}}
  head:
    ops:
      dense:
        units: {choice: [8, 16]}
        dropout: {float: [0.1, 0.5], off: 0.0}
        batch_normalization: {choice: [false, true]}
settings:
  optimizer: {ops: {momentum: {learning_rate: {float: [0.1, 1.0], log: true}, momentum: 0.9}}}
  training: {ops: {training: {batch_size: {choice: [32, 64]}}}}
"""

CONFIG = """
run: rungs
space: ./steep.yaml
data: {name: digits}
strategy: {hyperband: {reduction_factor: 2, min_epochs: 4}}
training: {epochs: 16, patience: 1}
budget: {trials: 11}
look_ahead: 4
pool: {inline: {}}
"""


class Epochs(Observer):
    """Notes which epochs each trial has trained."""

    def __init__(self) -> None:
        self.trained: dict[int, list[int]] = {}

    def on_epoch(self, trial, epoch, metrics) -> None:
        self.trained.setdefault(trial.id, []).append(epoch)


@pytest.fixture(scope="module")
def observer():
    return Epochs()


@pytest.fixture(scope="module")
def root(tmp_path_factory, observer):
    folder = tmp_path_factory.mktemp("rungs")
    (folder / "steep.yaml").write_text(SPACE)
    (folder / "config.yaml").write_text(CONFIG)
    return evonas.run(folder / "config.yaml", runs=folder / "runs", observers=[observer]).directory


def in_one_go(root, trial) -> tuple[dict[str, list[float]], str]:
    """The history and the weights' sha256 of the same training in one go, without a checkpoint."""
    with Session(root) as session:
        pool = InlinePool(session.setup())
        seed = training_seed(session.config.seed, trial.genome.digest, trial.proposal.repeat)
        genome, epochs = trial.genome, trial.proposal.fidelity.epochs
        pool.submit(
            TrainJob(
                trial=900,
                attempt=0,
                session=9,
                genome=genome,
                seed=seed,
                epochs=epochs,
                weights="weights/one.npz",
            )
        )
        found = [report.outcome for report in pool.poll(0) if isinstance(report, Finished)]
        pool.close()
    (outcome,) = found
    assert outcome.state is TrialState.OK
    return {name: list(values) for name, values in outcome.history.items()}, sha256_of(
        root / "weights/one.npz"
    )


@pytest.mark.full
def test_who_went_on_equals_a_training_in_one_go(root, observer):
    run = evonas.load(root)
    promoted = [
        trial
        for trial in run.trials
        if trial.proposal.resume_from is not None and trial.twin_of is None
    ]
    lengths = {trial.proposal.fidelity.epochs for trial in promoted}
    assert lengths == {8, 16}
    with RecordReader(root / "run.db") as record:
        files = record.files()
        attempts = {attempt.trial: attempt for attempt in record.attempts()}
    ended = 0
    for trial in promoted:
        history, weights = in_one_go(root, trial)
        recorded = {name: list(values) for name, values in attempts[trial.id].history.items()}
        assert recorded == history
        assert files[f"weights/{trial.id:05d}.npz"] == weights
        parent = attempts[trial.proposal.resume_from].history["val_loss"]
        assert recorded["val_loss"][: len(parent)] == list(parent)
        assert observer.trained.get(trial.id, []) == list(
            range(len(parent) + 1, len(history["val_loss"]) + 1)
        )
        ended += len(history["val_loss"]) < trial.proposal.fidelity.epochs
    assert ended > 0, (
        "patience must have ended some, or this does not show that it holds across rungs"
    )


@pytest.mark.full
def test_a_promotion_is_an_edge_of_the_genealogy_and_the_run_can_be_audited(root):
    run = evonas.load(root)
    graph = run.genealogy()
    edges = [(parent, child, data) for parent, child, data in graph.edges(data=True)]
    assert edges
    assert all(data["operator"] == "promote" and data["changes"] == [] for _, _, data in edges)
    assert audit(root).is_repeated
    assert json.loads((root / "best.json").read_text())["trial"] == run.best.id
