"""Trainings that another run has done are answered from its record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evonas import api
from evonas.evaluate.contract.pool import Finished
from evonas.files import sha256_of
from evonas.runtime.config.config_file import load_config
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.reuse import ReusingPool, known_trainings
from evonas.testing.jobs import make_job, make_setup
from evonas.testing.stub_pool import StubPool
from evonas.trial import TrialState, rank


class Counting(StubPool):
    """Counts the trainings that are really done."""

    trained = 0

    def submit(self, job):
        self.trained += job.kind == "train"
        super().submit(job)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    (tmp_path / "config.yaml").write_text(
        "space: mlp\ndata: {path: data.npz, task: classification}\nbudget: {trials: 12}\n"
        "strategy: {evolution: {population: 6}}\ntraining: {epochs: 2}\npool: {local: {devices: cpu}}\n"
    )
    return tmp_path / "config.yaml"


def run(config: Path, name: str, *changes: str, known=None):
    pools = []

    def pool(settings, setup, root):
        pools.append(Counting(setup, 2))
        return ReusingPool(pools[-1], known or {}, root)

    directory, _ = api.create(
        load_config(config, [f"run={name}", *changes]), config.parent / "runs"
    )
    return api.work(directory, pool_factory=pool), pools[-1].trained


def content(done):
    with RecordReader(done.layout.record) as record:
        return record.content()


def test_a_second_run_of_the_same_config_trains_nothing_and_has_the_same_content(config):
    first, trained = run(config, "first")
    second, again = run(config, "second", known=known_trainings(first.directory))
    assert trained >= 12
    assert again == 0
    assert content(second) == content(first)
    assert second.result["metrics"] == first.result["metrics"]


def test_another_scheme_reuses_what_it_shares_and_finds_what_it_would_have_found_alone(config):
    first, _ = run(config, "first")
    alone, _ = run(config, "alone", "strategy.evolution.selection=random")
    sharing, trained = run(
        config,
        "sharing",
        "strategy.evolution.selection=random",
        known=known_trainings(first.directory),
    )
    assert content(sharing) == content(alone)
    assert 0 < trained < 12
    with RecordReader(sharing.layout.record) as record:
        reused = [attempt for attempt in record.attempts() if "reused" in attempt.details]
    assert len(reused) == 12 - trained


def test_the_seconds_are_those_of_the_training_that_was_done(config):
    first, _ = run(config, "first")
    second, _ = run(config, "second", known=known_trainings(first.directory))
    seconds = [
        [attempt.seconds for trial in done.trials for attempt in trial.attempts()]
        for done in (first, second)
    ]
    assert seconds[0] == seconds[1]


def test_another_seed_shares_nothing(config):
    first, _ = run(config, "first")
    _, trained = run(config, "second", "seed=1", known=known_trainings(first.directory))
    assert trained >= 12


def test_what_was_pruned_or_damaged_is_trained_again(config):
    """The winner, too: its export needs the weights."""
    first, _ = run(config, "first")
    best, *others = sorted((trial for trial in first.trials if trial.fitness is not None), key=rank)
    first.weights(best).write_bytes(b"damaged")
    first.weights(others[0]).unlink()
    second, trained = run(config, "second", known=known_trainings(first.directory))
    assert trained == 2
    assert content(second) == content(first)
    assert sha256_of(second.weights(second.best)) == first._files[f"weights/{best.id:05d}.npz"]
    assert second.result["metrics"] == first.result["metrics"]


def test_a_copied_file_is_the_file(config, tmp_path):
    first, _ = run(config, "first")
    second, _ = run(config, "second", known=known_trainings(first.directory))
    assert sha256_of(first.weights(first.best)) == sha256_of(second.weights(second.best))


def test_no_run_is_nothing_known(tmp_path):
    assert known_trainings(tmp_path) == {}


def test_what_is_known_takes_a_slot_until_it_is_reported(config, tmp_path):
    first, _ = run(config, "first")
    known = known_trainings(first.directory)
    trial = next(trial for trial in first.trials if trial.state is TrialState.OK)
    from evonas.randomness import training_seed

    seed = training_seed(0, trial.genome.digest, 0)
    job = make_job(0, genome=trial.genome.to_dict(), seed=seed, epochs=2)
    with ReusingPool(StubPool(make_setup(tmp_path)), known, tmp_path / "elsewhere") as pool:
        pool.submit(job)
        assert pool.running == 1
        with pytest.raises(RuntimeError, match="taken"):
            pool.submit(job)
        (report,) = pool.poll(0.0)
        assert isinstance(report, Finished)
        assert dict(report.outcome.metrics) == dict(trial.metrics)
        assert pool.running == 0
