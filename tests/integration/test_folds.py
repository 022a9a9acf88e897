"""Runs with folds, from the config to what is taken home; stubs first, then real networks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import evonas
from evonas.data.prepared import FILES, FOLDS
from evonas.errors import InvalidData
from evonas.evaluate.contract.protocol import Job
from evonas.export.fresh import fresh_scores
from evonas.runtime.loop.jobs import refitted_path
from evonas.runtime.replay import plan_replay
from evonas.runtime.session import Session
from evonas.testing import content, make_run, work
from evonas.testing.runs import stub_pools
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from tests.command import run_evonas

HEALTHY = Stub(diverge=0.0)
SHORT = ("data.folds=3", "budget.trials=6")


@pytest.fixture
def pool() -> type[StubPool]:
    """A pool that keeps what was submitted."""
    jobs: list[Job] = []

    class Pool(StubPool):
        def submit(self, job: Job) -> None:
            jobs.append(job)
            super().submit(job)

    Pool.jobs = jobs  # type: ignore[attr-defined]
    return Pool


def test_the_winner_is_trained_on_all_data_and_the_card_says_so(tmp_path: Path, pool) -> None:
    root = make_run(tmp_path, *SHORT)
    run = work(root, stub=HEALTHY, pool=pool)
    assert dict(run.counts) == {"train": 48, "test": 12}
    refit, export = pool.jobs[-2:]
    assert (refit.kind, export.kind) == ("refit", "export")
    best = run.best
    assert best is not None
    assert refit.epochs == best.metrics["best_epoch"]
    assert refit.weights == export.weights == refitted_path(best.id)
    card = run.result
    assert card is not None
    assert card["metrics"]["val_loss"] == best.metrics["val_loss"]
    assert "test_loss" in card["metrics"]
    training, data = card["training"], card["data"]
    assert (training["folds"], training["samples"]) == (3, 48)
    assert (data["folds"], data["samples"]) == (3, {"train": 48, "test": 12})
    said = run_evonas("show", root).stdout
    words = " ".join(said.split())
    assert "48 in 3 folds and 12 test samples" in words
    assert f"the weights are those of {refit.epochs} epochs on all 48 samples" in words
    assert "mean over 3 folds" in words


def test_every_export_is_of_all_data_and_that_of_the_winner_is_kept(tmp_path: Path, pool) -> None:
    root = make_run(tmp_path / "run", *SHORT, "storage.keep_best=1")
    run = work(root, stub=HEALTHY, pool=pool)
    assert run.best is not None
    make = stub_pools(stub=HEALTHY, pool=pool)
    other = next(trial.id for trial in run.trials if trial.id != run.best.id and trial.fitness)
    before = len(pool.jobs)
    card = run.export(tmp_path / "other.keras", other, pool_factory=make)
    assert [job.kind for job in pool.jobs[before:]] == ["refit", "export"]
    assert "test_loss" not in card["metrics"]
    assert card["metrics"]["val_loss"] == run.trials[other].metrics["val_loss"]
    assert not (root / refitted_path(other)).exists()
    # The winner's network is there already.
    before = len(pool.jobs)
    run = evonas.load(root)
    run.export(tmp_path / "model", format="saved_model", pool_factory=make)
    assert [job.kind for job in pool.jobs[before:]] == ["export"]
    assert run.weights(run.best) == root / refitted_path(run.best.id)


def test_fresh_seeds_have_folds_and_a_network_for_the_test(tmp_path: Path, pool) -> None:
    root = make_run(tmp_path, *SHORT)
    run = work(root, stub=HEALTHY, pool=pool)
    assert run.best is not None
    before = content(root)
    seen = len(pool.jobs)
    with Session(root, stub_pools(stub=HEALTHY, pool=pool)) as session:
        found = fresh_scores(session, run.best.trial, 2)
    jobs = pool.jobs[seen:]
    assert [job.kind for job in jobs] == ["train", "refit", "score"] * 2
    train, refit, score = jobs[:3]
    assert train.seed == refit.seed
    assert refit.weights == score.weights != train.weights
    for one in found:
        assert {"val_loss", "test_loss"} <= one.keys()
    assert content(root) == before
    assert list(root.glob("fresh/*")) == []


def test_damaged_folds_are_made_again_and_a_replay_needs_them(tmp_path: Path) -> None:
    root = make_run(tmp_path, *SHORT)
    work(root, stub=HEALTHY)
    fold_of = np.load(root / FOLDS)
    assert plan_replay(root, 0).setup.folds == 3
    (root / FOLDS).unlink()
    with pytest.raises(InvalidData, match="is missing or damaged"):
        plan_replay(root, 0)
    with Session(root, stub_pools(stub=HEALTHY)):
        np.testing.assert_array_equal(np.load(root / FOLDS), fold_of)


CONFIG = """
run: folds
space: mlp
data: {name: wine, folds: 3}
strategy: random
training: {epochs: 8, patience: 3}
budget: {trials: 5}
pool: {local: {workers: 2, devices: cpu}}
"""


@pytest.mark.full
def test_a_real_run_is_exported_and_replayed_and_the_same_after_a_kill(tmp_path: Path) -> None:
    config = tmp_path / "folds.yaml"
    config.write_text(CONFIG)
    done = run_evonas("run", config, "--runs", tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    root = tmp_path / "whole" / "folds"
    run = evonas.load(root)
    assert run.best is not None
    card = json.loads((root / "best.json").read_text())
    for trial in run.trials:
        if trial.fitness is not None:
            assert run_evonas("replay", root, trial.id).returncode == 0
            break
    files = [root / "best.keras", root / "best.json", *(root / name for name in FILES["test"])]
    script = Path(__file__).parents[2] / "benchmarks" / "plain_keras.py"
    command = [sys.executable, str(script), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["loss"] == pytest.approx(card["metrics"]["test_loss"], abs=1e-6)
    assert run.best.model().count_params() > 0

    killed = tmp_path / "killed" / "folds"
    evonas_command = Path(sys.executable).with_name("evonas")
    command = [str(evonas_command), "run", str(config), "--runs", str(killed.parent)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(killed.glob("weights/*.npz")):
        assert process.poll() is None, "it ended before a training did"
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert run_evonas("resume", killed).returncode == 0
    assert content(killed) == content(root)
    other = json.loads((killed / "best.json").read_text())
    assert other["metrics"] == card["metrics"]
