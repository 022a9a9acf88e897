"""Batches trained in two halves.

It is the training of whole batches but for rounding, and is resumed bit for bit. Also the rung of
the out-of-memory ladder that a genome may fit on.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.contract.protocol import Setup, TrainJob
from evonas.evaluate.training.checkpoint import load_state, save_state
from evonas.evaluate.training.compiled_loop import CompiledLoop, fast_graphs
from evonas.evaluate.training.keras_jobs import run_job
from evonas.evaluate.training.trainer import Trainer
from evonas.genome import Gene, Genome, parse_space
from evonas.model.optimizers import build_optimizer
from evonas.randomness import generator
from evonas.trial import TrialState
from tests.evaluate.training.networks import LOSS, TARGETS, bits, rows
from tests.slow import few

layers = keras.layers

SPACE = """
space: accumulation
input: vector
network:
  layers:
    length: [0, 2]
    ops:
      dense:
        units: 4
        activation: tanh
        batch_normalization: {choice: [false, true]}
        dropout: {choice: [0.0, 0.2]}
      accumulation_plugin:heavy: {}
settings:
  optimizer:
    ops:
      sgd: {learning_rate: 0.05}
      momentum: {learning_rate: 0.05, momentum: 0.9, nesterov: true}
      adam: {learning_rate: 0.01}
      adamw: {learning_rate: 0.01, weight_decay: 0.01}
      rmsprop: {learning_rate: 0.01, schedule: exponential, final_fraction: 0.1}
  training: {ops: {training: {batch_size: {choice: [1, 16]}}}}
"""

AVERAGED = SPACE.replace("0.01}", "0.01, ema_momentum: 0.75, clip_norm: 0.5}", 1)
SCHEDULED = SPACE.replace("nesterov: true}", "schedule: cosine}")

PLUGIN = """
import keras
import tensorflow as tf

MOST = 8


class Heavy(keras.layers.Layer):
    '''Fits into memory for 8 samples and no more.'''

    def call(self, x, training=False):
        if not training:
            return x
        with tf.control_dependencies([tf.py_function(allocate, [tf.shape(x)[0]], tf.int32)]):
            return tf.identity(x)

    def compute_output_shape(self, shape):
        return shape


def allocate(samples):
    if int(samples) > MOST:
        raise MemoryError("heavy")  # which TensorFlow turns into its ResourceExhaustedError
    return samples


def heavy(x):
    return Heavy()(x)
"""


def perceptron() -> Any:
    """With penalties of weights, and of activities, which Keras divides by the batch's samples."""
    penalty = keras.regularizers.L2(1e-2)
    inputs = keras.Input((5,))
    x = layers.Dense(
        8, activation="tanh", kernel_regularizer=penalty, activity_regularizer=penalty
    )(inputs)
    return keras.Model(inputs, layers.Rescaling(4.0, offset=3.0)(layers.Dense(1)(x)))


def noisy() -> Any:
    inputs = keras.Input((5,))
    x = layers.Dropout(0.3)(layers.BatchNormalization()(layers.Dense(8)(inputs)))
    return keras.Model(inputs, layers.Rescaling(4.0, offset=3.0)(layers.Dense(1)(x)))


def make(
    op: str, parts: int, samples: int = 64, build: Any = perceptron, space: str = SPACE
) -> tuple[Any, Trainer]:
    keras.utils.set_random_seed(3)
    model = build()
    genome = Genome((("optimizer", (Gene.make(op, {}),)),))
    optimizer = build_optimizer(
        parse_space(space, "test"), genome, steps=4 * -(-samples // 16), accumulation=parts
    )
    loop = CompiledLoop(model, optimizer, rows(samples).whole(), TARGETS, batch_size=16)
    return model, Trainer(loop, TARGETS, LOSS, seed=3, fingerprint={"parts": parts})


HALVED: dict[str, tuple[str, int, str]] = {
    "sgd": ("sgd", 70, SPACE),
    "nesterov": ("momentum", 70, SPACE),
    "adam": ("adam", 70, SPACE),
    "adamw": ("adamw", 70, SPACE),
    "exponential": ("rmsprop", 70, SPACE),
    "cosine": ("momentum", 70, SCHEDULED),
    "averaged": ("adam", 70, AVERAGED),
    "last batch of 3": ("adam", 67, SPACE),
    "last batch of 1": ("adam", 65, SPACE),
}


@pytest.mark.parametrize("name", few(HALVED, "nesterov", "last batch of 3"))
def test_two_halves_give_the_weights_of_the_whole_batch(name: str) -> None:
    """Also if the last batch has 6, 3 or 1 samples.

    What is left is float32 rounding. A sum of 16 numbers of about 1 that is taken in two parts
    differs by some 1e-7, and does not grow in 20 steps: 2e-7 was measured. A lost part gives 1e-2.
    """
    op, samples, space = HALVED[name]
    whole, first = make(op, 1, samples, space=space)
    first.train(4)
    halves, second = make(op, 2, samples, space=space)
    second.train(4)
    for ours, theirs in zip(halves.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)
    for name in ("loss", "val_loss"):
        assert [row[name] for row in second.history] == pytest.approx(
            [row[name] for row in first.history], rel=1e-6
        )
    steps = [int(trainer.state().optimizer[0]) for trainer in (first, second)]
    assert steps[1] == 2 * steps[0], "Keras counts gradients, and an epoch ends with a whole step"


def test_it_is_what_keras_does_with_half_the_batch_and_two_accumulation_steps() -> None:
    model, trainer = make("adam", 2, build=noisy)
    trainer.train(2)
    keras.utils.set_random_seed(3)
    fitted, data = noisy(), rows(64)
    mse = keras.losses.MeanSquaredError()
    optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)
    fitted.compile(optimizer, lambda y, p: mse(y / 4.0, p / 4.0), jit_compile=False)
    with fast_graphs():
        for epoch in range(2):
            order = generator(3, "order", epoch).permutation(64)
            for start in range(0, 64, 8):
                part = order[start : start + 8]
                fitted.train_on_batch(tf.gather(data.x, part), tf.gather(data.y, part))
    assert bits(model) == bits(fitted)


@pytest.mark.parametrize(
    ("op", "space"), [pytest.param("adam", SPACE, marks=pytest.mark.full), ("momentum", SCHEDULED)]
)
def test_resumed_is_the_same_as_never_stopped(op: str, space: str, tmp_path: Path) -> None:
    model, trainer = make(op, 2, 70, noisy, space)
    trainer.train(6)
    _, shorter = make(op, 2, 70, noisy, space)
    shorter.train(2)
    save_state(tmp_path / "state.npz", shorter.state())
    resumed, longer = make(op, 2, 70, noisy, space)
    longer.restore(load_state(tmp_path / "state.npz", {"parts": 2}))
    longer.train(6)
    assert longer.history == trainer.history
    assert bits(resumed) == bits(model)


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    run = tmp_path / "run"
    run.mkdir()
    rows(70).write(run)
    (tmp_path / "accumulation_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    objective = {"name": "val_loss", "direction": "min"}
    return Setup(str(run), 0, SPACE, TARGETS.to_json(), objective, plugins=("accumulation_plugin",))


def job(*names: str, batch: int = 16, **changes: Any) -> TrainJob:
    settings = {"batch_normalization": False, "dropout": 0.0}
    genes = tuple(
        Gene.make(name, settings if name == "dense" else {}, innovation=number)
        for number, name in enumerate(names, 1)
    )
    sections = {
        "layers": genes,
        "optimizer": (Gene.make("adam", {}, innovation=1),),
        "training": (Gene.make("training", {"batch_size": batch}, innovation=1),),
    }
    genome = Genome(tuple(sections.items()))
    first = TrainJob(
        trial=5,
        attempt=0,
        session=1,
        genome=genome,
        seed=11,
        epochs=2,
        weights="weights/00005.npz",
    )
    return replace(first, **{"checkpoint": "checkpoints/00005.npz", **changes})


def silent(epoch: int, metrics: Any) -> None:
    pass


def test_a_network_that_needs_too_much_for_a_batch_is_trained_with_half_of_it(setup: Setup) -> None:
    heavy = job("dense", "accumulation_plugin:heavy")
    first = run_job(setup, heavy, silent)
    assert (first.state, first.details.batch_size) == (TrialState.OOM_DEVICE, 16), first.message
    second = run_job(setup, replace(heavy, attempt=1, accumulation=2), silent)
    assert second.state is TrialState.OK, second.message
    assert second.metrics["accumulation_steps"] == 2.0
    assert "accumulation_steps" not in second.history
    light = run_job(
        setup, replace(job("dense"), weights="weights/light.npz", checkpoint=None), silent
    )
    assert "accumulation_steps" not in light.metrics


def test_a_checkpoint_of_whole_batches_is_not_gone_on_from_with_halves(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    run_job(setup, job("dense"), silent)
    again = run_job(setup, job("dense", accumulation=2), silent)
    assert "accumulation differ" in caplog.text
    fresh = run_job(setup, job("dense", accumulation=2, checkpoint=None), silent)
    whole = run_job(setup, job("dense", checkpoint=None), silent)
    assert again.metrics == fresh.metrics != whole.metrics
    assert again.metrics["val_loss"] == pytest.approx(whole.metrics["val_loss"], rel=1e-5)
    assert json.dumps(dict(again.history)) == json.dumps(dict(fresh.history))
