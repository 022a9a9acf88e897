"""Trainings that another run has done are answered from its record."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas import lifecycle
from evonas.evaluate.contract.pool import Finished
from evonas.files import sha256_of
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.reuse import ReusingPool, known_trainings
from evonas.testing.jobs import make_job, make_setup
from evonas.testing.runs import content, make_run
from evonas.testing.stub_pool import StubPool
from evonas.trial import TrialState, rank


class Counting(StubPool):
    """Counts the trainings that are really done."""

    trained = 0

    def submit(self, job):
        self.trained += job.kind == "train"
        super().submit(job)


SHORT = (
    "space=mlp",
    "strategy={evolution: {population: 6}}",
    "training.epochs=2",
    "look_ahead=16",
)


def run(folder: Path, name: str, *changes: str, known=None):
    """The finished run, and the number of trainings that were really done."""
    pools = []

    def pool(settings, setup, root):
        pools.append(Counting(setup, 2))
        return ReusingPool(pools[-1], known or {}, root)

    root = make_run(folder, *SHORT, f"run={name}", *changes, runs=folder / "runs")
    return lifecycle.work(root, pool_factory=pool), pools[-1].trained


def test_a_second_run_of_the_same_config_trains_nothing_and_has_the_same_content(tmp_path):
    # Whatever is pruned would be trained again.
    keep = "storage.keep_best=12"
    first, trained = run(tmp_path, "first", keep)
    second, again = run(tmp_path, "second", keep, known=known_trainings(first.directory))
    assert trained >= 12
    assert again == 0
    assert content(second.directory) == content(first.directory)
    assert second.result["metrics"] == first.result["metrics"]


def test_another_scheme_reuses_what_it_shares_and_finds_what_it_would_have_found_alone(tmp_path):
    first, _ = run(tmp_path, "first")
    alone, _ = run(tmp_path, "alone", "strategy.evolution.selection=random")
    sharing, trained = run(
        tmp_path,
        "sharing",
        "strategy.evolution.selection=random",
        known=known_trainings(first.directory),
    )
    assert content(sharing.directory) == content(alone.directory)
    assert 0 < trained < 12
    with RecordReader(sharing.layout.record) as record:
        reused = [attempt for attempt in record.attempts() if attempt.details.reused is not None]
    assert len(reused) == 12 - trained


def test_the_seconds_are_those_of_the_training_that_was_done(tmp_path):
    first, _ = run(tmp_path, "first")
    second, _ = run(tmp_path, "second", known=known_trainings(first.directory))
    seconds = [
        [attempt.seconds for tries in done.attempts().values() for attempt in tries]
        for done in (first, second)
    ]
    assert seconds[0] == seconds[1]


def test_another_seed_shares_nothing(tmp_path):
    first, _ = run(tmp_path, "first")
    _, trained = run(tmp_path, "second", "seed=1", known=known_trainings(first.directory))
    assert trained >= 12


def test_what_was_pruned_or_damaged_is_trained_again(tmp_path):
    """The winner, too: its export needs the weights."""
    keep = "storage.keep_best=12"
    first, _ = run(tmp_path, "first", keep)
    best, *others = sorted((trial for trial in first.trials if trial.fitness is not None), key=rank)
    first.weights(best).write_bytes(b"damaged")
    first.weights(others[0]).unlink()
    second, trained = run(tmp_path, "second", keep, known=known_trainings(first.directory))
    assert trained == 2
    assert content(second.directory) == content(first.directory)
    assert sha256_of(second.weights(second.best)) == first._files[f"weights/{best.id:05d}.npz"]
    assert second.result["metrics"] == first.result["metrics"]


def test_a_copied_file_is_the_file(tmp_path):
    first, _ = run(tmp_path, "first")
    second, _ = run(tmp_path, "second", known=known_trainings(first.directory))
    assert sha256_of(first.weights(first.best)) == sha256_of(second.weights(second.best))


def test_no_run_is_nothing_known(tmp_path):
    assert known_trainings(tmp_path) == {}


def test_what_is_known_takes_a_slot_until_it_is_reported(tmp_path):
    first, _ = run(tmp_path, "first")
    known = known_trainings(first.directory)
    trial = next(trial for trial in first.trials if trial.state is TrialState.OK)
    from evonas.randomness import training_seed

    seed = training_seed(0, trial.genome.digest, 0)
    job = make_job(0, genome=trial.genome, seed=seed, epochs=2)
    with ReusingPool(StubPool(make_setup(tmp_path)), known, tmp_path / "elsewhere") as pool:
        pool.submit(job)
        assert pool.running == 1
        with pytest.raises(RuntimeError, match="taken"):
            pool.submit(job)
        (report,) = pool.poll(0.0)
        assert isinstance(report, Finished)
        assert dict(report.outcome.metrics) == dict(trial.metrics)
        assert pool.running == 0
