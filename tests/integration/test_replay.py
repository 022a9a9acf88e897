"""`evonas replay` of real trainings: a success, a divergence, and a network that raises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evonas

SPACE = """
space: fragile
input: vector
network:
  layers:
    length: [1, 2]
    ops:
      dense: {units: {choice: [4, 8]}, activation: relu, dropout: 0.2}
      fragile_ops:fail: {}
settings:
  optimizer: {ops: {sgd: {learning_rate: {choice: [0.1, 1e+30]}}}}
  training: {ops: {training: {batch_size: 16}}}
"""
CONFIG = """
run: fragile
seed: 3
space: ./fragile.yaml
data: {path: data.npz, task: classification, test: 0.1}
strategy: random
training: {epochs: 2}
budget: {trials: 5}
plugins: [fragile_ops, fragile_metrics]
objective: {name: "fragile_metrics:margin", direction: max}
constraints: {val_auc: {min: 0.1}}
metrics: [val_f1_macro, fragile_metrics:never, "fragile_metrics:not_of_twelve", training_seconds]
pool: {local: {workers: 2, devices: cpu}}
"""
# Not in a network of one layer: an op that always fails is refused before the run.
PLUGIN = """
def fail(x, *, name):
    if name == "layers_1":
        print("the last words")
        raise RuntimeError("it is fragile")
    return x
"""


# What a user adds to evonas: one file, and its name in the config.
METRICS = """
import numpy as np

def margin(targets, predictions):
    return predictions[np.arange(len(targets)), targets].mean()

def never(targets, predictions):
    return np.nan

def not_of_twelve(targets, predictions):
    if len(targets) == 12:
        raise ValueError("twelve samples")
    return 1.0
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    directory = tmp_path_factory.mktemp("replays of a run")
    rng = np.random.default_rng(0)
    np.savez(directory / "data.npz", x=rng.normal(size=(120, 4)), y=np.arange(120) % 3)
    files = {"fragile.yaml": SPACE, "run.yaml": CONFIG, "fragile_ops.py": PLUGIN}
    for name, text in {**files, "fragile_metrics.py": METRICS}.items():
        (directory / name).write_text(text)
    assert command("run", "run.yaml", cwd=directory).returncode == 0
    return directory


def command(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    call = [str(Path(sys.executable).with_name("evonas")), *map(str, arguments)]
    # Without a PYTHONPATH: the plugin lies beside the config.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(call, capture_output=True, text=True, cwd=cwd, env=environment)


def of_state(work: Path, state: str) -> int:
    trials = evonas.load(work / "runs" / "fragile").trials
    found = [trial.id for trial in trials if trial.state == state and trial.twin_of is None]
    assert found, f"the seed must give a trial that is {state}"
    return found[0]


def test_a_success_is_repeated_bit_for_bit_with_every_epoch_shown(work):
    done = command("replay", "fragile", of_state(work, "ok"), cwd=work)
    assert done.returncode == 0, done.stderr
    for words in (
        "epoch 1: loss",
        "epoch 2: loss",
        "It ended as `ok` after 2 epochs",
        "the same, bit for bit",
    ):
        assert words in done.stdout
    assert done.stderr == "", "without what TensorFlow logs at its start"


def test_a_divergence_is_repeated_and_told_in_json(work):
    done = command("replay", "fragile", of_state(work, "diverged"), "--json", cwd=work)
    assert done.returncode == 0, done.stderr
    plain = json.loads(done.stdout)
    assert plain["same"] is True
    assert plain["replayed"]["state"] == "diverged"
    assert plain["recorded"]["metrics"] == plain["replayed"]["metrics"]


@pytest.mark.full
def test_a_network_that_raises_shows_its_whole_traceback(work):
    done = command("replay", "fragile", of_state(work, "error"), cwd=work)
    assert done.returncode == 0, done.stderr
    assert "the last words" in done.stdout
    assert "RuntimeError: it is fragile" in done.stdout
    assert "Traceback (most recent call last)" in done.stderr
    assert "fragile_ops.py" in done.stderr


@pytest.mark.full
def test_another_outcome_than_the_recorded_one_has_exit_code_4(work):
    """The plugin is mended; in the record it is still broken."""
    trial = of_state(work, "error")
    (work / "fragile_ops.py").write_text(
        "def fail(x, *, name):\n    print('the last words')\n    return x\n"
    )
    try:
        done = command("replay", "fragile", trial, "--json", cwd=work)
    finally:
        (work / "fragile_ops.py").write_text(PLUGIN)
    assert done.returncode == 4
    told = json.loads(done.stdout)  # what a network prints is no part of the JSON
    assert told["same"] is False
    assert told["code"] == "the code of fragile_ops has changed since the run began"
    assert (
        "it is `error` in the record (RuntimeError: it is fragile) and `" in told["differences"][0]
    )


def test_a_metric_of_the_users_own_decides_and_is_on_the_card(work):
    run = evonas.load(work / "runs" / "fragile")
    name = "val_fragile_metrics:margin"
    known = [trial.metrics[name] for trial in run.trials if trial.state == "ok"]
    assert run.best.metrics[name] == run.best.fitness.value == max(known)
    for reported in ("val_f1_macro", "val_auc", "training_seconds"):
        assert reported in run.best.metrics
    # What is only reported costs no training.
    assert "val_fragile_metrics:never" not in run.best.metrics
    card = run.result
    assert 0 < card["metrics"]["test_fragile_metrics:margin"] < 1
    assert card["baseline"]["test_auc"] == 0.5
    # The test data are 12 samples. What fails on them alone costs no model.
    (why,) = card["unscored"].values()
    assert list(card["unscored"]) == ["test_fragile_metrics:not_of_twelve"]
    assert "has raised ValueError: twelve samples" in why
    assert card["metrics"]["val_fragile_metrics:not_of_twelve"] == 1.0
    shown = command("show", "fragile", "--trials", cwd=work).stdout
    assert name in shown
