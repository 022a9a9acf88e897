"""A real search in which no whole batch fits into memory: each network is trained with halves."""

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
space: heavy
input: vector
network:
  layers: {length: [1, 2], ops: {dense: {units: {choice: [4, 8]}, activation: relu}}}
  bridge: {ops: {heavy_ops:heavy: {}}}
settings:
  optimizer:
    ops:
      momentum: {learning_rate: {choice: [0.1, 0.05]}, momentum: 0.9, schedule: cosine}
  training: {ops: {training: {batch_size: 16}}}
"""
CONFIG = """
run: heavy
space: ./heavy.yaml
data: {path: data.npz, task: classification}
strategy: random
training: {epochs: 2}
budget: {trials: 2}
plugins: [heavy_ops]
pool: {local: {workers: 2, devices: cpu}}
"""
PLUGIN = """
import keras
import tensorflow as tf
import pytest


@keras.saving.register_keras_serializable("heavy_ops")
class Heavy(keras.layers.Layer):
    '''In training it has memory for 8 samples, and no more.'''

    def call(self, x, training=False):
        if not training:
            return x
        with tf.control_dependencies([tf.py_function(allocate, [tf.shape(x)[0]], tf.int32)]):
            return tf.identity(x)

    def compute_output_shape(self, shape):
        return shape


def allocate(samples):
    if int(samples) > 8:
        raise MemoryError("heavy")  # which TensorFlow turns into its ResourceExhaustedError
    return samples


def heavy(x):
    return Heavy()(x)
"""


def command(*arguments: object, cwd: Path) -> str:
    path = os.pathsep.join([str(cwd), os.environ.get("PYTHONPATH", "")])
    call = [str(Path(sys.executable).with_name("evonas")), *map(str, arguments)]
    done = subprocess.run(
        call, capture_output=True, text=True, cwd=cwd, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.full
def test_no_batch_fits_and_every_half_does(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(120, 4)), y=np.arange(120) % 3)
    for name, text in {"heavy.yaml": SPACE, "run.yaml": CONFIG, "heavy_ops.py": PLUGIN}.items():
        (tmp_path / name).write_text(text)
    told = command("run", "run.yaml", cwd=tmp_path)
    assert "trained with half the batch and two gradient accumulation steps" in told
    run = evonas.load(tmp_path / "runs" / "heavy")
    for trial in run.trials:
        assert [attempt.state for attempt in run.trial(trial.id).attempts()] == ["oom_device", "ok"]
        assert trial.metrics["accumulation_steps"] == 2.0
    assert run.best is not None
    card = json.loads((run.directory / "best.json").read_text())
    assert (card["trial"], card["accumulation_steps"]) == (run.best.id, 2)
    assert (run.directory / "best.keras").is_file()
    replayed = json.loads(command("replay", "heavy", run.best.id, "--json", cwd=tmp_path))
    assert (replayed["same"], replayed["accumulation_steps"]) == (True, 2)
