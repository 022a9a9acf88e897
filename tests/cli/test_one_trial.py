"""`evonas show RUN --trial N`: what came of a trial and of each attempt at it, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas import api
from evonas.cli import search
from evonas.cli.app import app
from evonas.cli.console import console
from evonas.cli.show import _trial_table
from evonas.runtime.config.config_file import load_config
from evonas.testing import runs
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub

SPACE = """
space: small
input: vector
network:
  layers: {length: [1, 2], ops: {dense: {units: {choice: [4, 8, 16]}, activation: {choice: [relu, tanh]}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: {choice: [0.1, 0.01]}}}}
  training: {ops: {training: {batch_size: 16}}}
"""
CONFIG = "run: stub\nspace: ./small.yaml\ndata: {path: data.npz, task: classification}\nbudget: {trials: 3}\n"


@pytest.fixture
def run(tmp_path: Path) -> api.Run:
    """All of its trials need too much memory, and each worker crashes once."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    (tmp_path / "small.yaml").write_text(SPACE)
    (tmp_path / "stub.yaml").write_text(CONFIG)
    root, _ = api.create(load_config(tmp_path / "stub.yaml"), tmp_path / "runs")
    stub = Stub(oom=1.0, crash=1.0, diverge=0)
    return api.work(root, pool_factory=lambda config, setup, root: StubPool(setup, 1, stub))


def show(run: api.Run, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["show", str(run.directory), *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_each_attempt_is_told_with_what_was_done_differently(run: api.Run) -> None:
    lines = show(run, "--trial", "1").splitlines()
    assert lines[0].startswith("Trial 1: ok, generation 0, sample")
    first, second, third = (line for line in lines if "attempt" in line)
    cut = "half the batch and two gradient accumulation steps"
    assert "attempt 0, session 1: crashed: " in first
    assert "oom_device, alone on the device: " in second
    assert "ok after" in third
    assert [cut in line for line in (first, second, third)] == [False, False, True]
    assert sum(cut in line for line in lines) == 2


def test_the_table_of_trials_and_the_winner_say_it_too(
    run: api.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.result = {
        **(run.result or {}),
        "layers": [],
        "parameters": 1,
        "flops": 1,
    }  # which a stub does not tell
    search.conclude(run)
    assert (
        "trained with half the batch and two gradient accumulation steps" in capsys.readouterr().out
    )
    console().print(_trial_table(run))
    assert capsys.readouterr().out.count("ok, cut batches") == 3


def test_json_has_the_mark_in_metrics_and_in_the_attempt(run: api.Run) -> None:
    data = json.loads(show(run, "--trial", "1", "--json"))
    assert data["metrics"]["accumulation_steps"] == 2.0
    assert [attempt["state"] for attempt in data["attempts"]] == ["crashed", "oom_device", "ok"]
    assert data["attempts"][2]["details"]["accumulation_steps"] == 2
    assert run.result is not None
    assert run.result["accumulation_steps"] == 2


def test_a_stopped_training_is_told_with_what_was_predicted(tmp_path: Path) -> None:
    stop = "training.stop={learning_curve: {after: 0.3, margin: 0}}"
    root = runs.make_run(
        tmp_path, stop, "training.epochs=12", "budget.trials=16", "strategy=random"
    )
    run = runs.work(root)
    found = [
        trial
        for trial in run.trials
        for attempt in trial.attempts()
        if "stopped" in attempt.details
    ]
    assert found, "some must have been stopped, or this shows nothing"
    told = json.loads(show(run, "--trial", str(found[0].id), "--json"))["attempts"][0]["details"][
        "stopped"
    ]
    why = f"at best {told['at_best']:.4f} was predicted, the incumbent had {told['incumbent']:.4f}"
    assert f"stopped at epoch {told['epoch']} of 12: {why}" in show(
        run, "--trial", str(found[0].id)
    )


def test_a_trial_that_is_not_there_is_refused(run: api.Run) -> None:
    done = CliRunner().invoke(app, ["show", str(run.directory), "--trial", "9"])
    assert "there is no trial 9" in str(done.exception)
