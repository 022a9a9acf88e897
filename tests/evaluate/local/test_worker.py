"""A job in, an outcome out: in this process, and in a worker behind a socket."""

from __future__ import annotations

import errno
import json
import logging
import os
import random
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.errors import DiskFailure, InvalidRecord
from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.protocol import (
    PROTOCOL,
    ExportJob,
    ScoreJob,
    Setup,
    TrainJob,
    encode,
    outcome_from_json,
    outcome_to_json,
)
from evonas.evaluate.evaluators.registry import DEFAULT
from evonas.evaluate.local.launcher import Handle
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.local.worker import throttled
from evonas.evaluate.training.checkpoint import load_weights
from evonas.evaluate.training.compiled_loop import CompiledLoop
from evonas.evaluate.training.export_job import load_model
from evonas.evaluate.training.keras_jobs import run_job
from evonas.evaluate.training.latency import latency_ms
from evonas.evaluate.training.learning_curve import LEARNING_CURVE
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.tensors import TensorCache
from evonas.evaluate.training.train_job import space_of, train
from evonas.evaluate.training.trainer import Trainer
from evonas.files import sha256_of
from evonas.genome import Gene, Genome
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.learning.metrics import TIMES
from evonas.model.assembly import build_model
from evonas.model.optimizers import build_optimizer
from evonas.testing.jobs import make_export
from evonas.trial import CUT_SHORT, NO_DETAILS, Cause, Details, Objective, Outcome, TrialState
from tests.slow import few

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""

SPACE = """
space: worker
input: image
network:
  features:
    length: [0, 2]
    ops:
      conv2d:
        filters: {choice: [3, 4]}
        kernel_size: 3
        batch_normalization: true
        dropout: 0.2
        l2: 1e-3
      worker_plugin:fail: {}
      worker_plugin:fail_in_silence: {}
      worker_plugin:fill: {}
      worker_plugin:print_much: {}
  bridge: {ops: {flatten: {}}}
  head: {length: [0, 1], ops: {dense: {units: {int: [2, 10000000000]}}}}
settings:
  optimizer:
    ops:
      sgd: {learning_rate: {float: [1e-3, 1e+30], log: true}}
      adam: {learning_rate: 0.01}
      momentum:
        learning_rate: 0.05
        momentum: 0.9
        schedule: {choice: [constant, cosine, exponential]}
  training: {ops: {training: {batch_size: {choice: [16, 32]}}}}
"""

PLUGIN = """
import sys

def fail(x):
    raise RuntimeError("the plugin has failed")

def fail_in_silence(x):
    sys.stdout = sys.stderr = None
    fail(x)

def fill(x):
    raise MemoryError

def print_much(x):
    print("noise" * 1000)
    return x
"""

CONV = Gene.make("conv2d", {"filters": 4}, innovation=1)
ADAM = Gene.make("adam", {}, innovation=1)
INTERFACE = Interface(
    InputSpec.normalized("image", (6, 6), (6.0,), (12.0,)), "classification", ("a", "b", "c")
)
SILENT: Any = lambda epoch, metrics: None  # noqa: E731


def genome(
    features: tuple[Gene, ...] = (), units: int | None = None, optimizer: Gene = ADAM
) -> Genome:
    head = () if units is None else (Gene.make("dense", {"units": units}, innovation=1),)
    sections = {
        "features": features,
        "bridge": (Gene.make("flatten", {}, innovation=1),),
        "head": head,
        "optimizer": (optimizer,),
        "training": (Gene.make("training", {"batch_size": 16}, innovation=1),),
    }
    return Genome(tuple(sections.items()))


WHOLE = genome((CONV,))
"""With batch normalization, dropout and a penalty, which take a second to trace.

The others have only a softmax.
"""


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A run directory with data, and a plugin that can be imported."""
    rng = np.random.default_rng(0)
    for part, samples in {"x_train": 70, "x_validation": 30, "test/x": 40}.items():
        y = rng.integers(0, 3, samples).astype(np.int32)
        x = rng.integers(0, 12, (samples, 6, 6)).astype(np.uint8)
        x[np.arange(samples), 2 * y] += 4
        path = tmp_path / "run" / "data" / f"{part}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, x)
        np.save(path.with_name(path.name.replace("x", "y", 1)), y)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "worker_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path / "plugins"))
    objective = {"name": "val_loss", "direction": "min"}
    return Setup(
        str(tmp_path / "run"),
        0,
        SPACE,
        INTERFACE.to_json(),
        objective,
        evaluator=described(DEFAULT),
    )


def with_plugin(setup: Setup) -> Setup:
    return replace(setup, plugins=("worker_plugin",))


def train_job(**changes: Any) -> TrainJob:
    job = TrainJob(
        trial=5,
        attempt=0,
        session=1,
        genome=genome(),
        seed=11,
        epochs=3,
        weights="weights/00005.npz",
    )
    return replace(job, **changes)


def trained_by_hand(setup: Setup, planned: Genome, epochs: int, steps: int = 1) -> Trainer:
    """The training of a genome as a job of seed 11 makes it, with batches of 16."""
    space, found = space_of(setup), planned
    keras.utils.set_random_seed(11)
    model = build_model(space, found, INTERFACE, setup.plugins)
    data = TensorCache().get(Path(setup.directory))
    loop = CompiledLoop(model, build_optimizer(space, found, steps), data, INTERFACE, 16)
    trainer = Trainer(loop, INTERFACE, TrainingPolicy(Objective("val_loss", "min")), seed=11)
    trainer.train(epochs)
    return trainer


def export_of(job: TrainJob) -> ExportJob:
    return make_export(
        job.trial,
        genome=job.genome,
        seed=job.seed,
        weights=job.weights,
        arrays={"x": "data/test/x.npy", "y": "data/test/y.npy"},
    )


def same(outcome: Outcome) -> Outcome:
    """Without what may differ between two equal trainings."""
    return replace(outcome, seconds=0.0)


def test_a_training_gives_the_best_epoch_and_its_weights(setup: Setup) -> None:
    told: list[tuple[int, Mapping[str, float]]] = []
    outcome = run_job(
        setup, train_job(genome=WHOLE), lambda epoch, metrics: told.append((epoch, metrics))
    )
    assert outcome.state is TrialState.OK, outcome.message
    assert outcome.message == ""
    assert set(outcome.metrics) == {
        "loss",
        "val_loss",
        "val_accuracy",
        "best_epoch",
        "parameters",
        "flops",
    }
    assert [epoch for epoch, _ in told] == [1, 2, 3]
    assert outcome.epochs == 3
    assert outcome.seconds > 0
    assert outcome.history == {
        name: [row[name] for _, row in told] for name in ("loss", "val_loss", "val_accuracy")
    }
    assert outcome.metrics["val_loss"] == min(outcome.history["val_loss"])
    assert outcome.metrics["best_epoch"] == 1 + outcome.history["val_loss"].index(
        min(outcome.history["val_loss"])
    )
    path = Path(setup.directory) / "weights/00005.npz"
    assert outcome.files == {"weights/00005.npz": sha256_of(path)}
    assert len(load_weights(path)) > 4
    assert outcome_from_json(json.loads(encode(outcome_to_json(outcome)))) == outcome


def test_times_are_measured_where_they_are_needed(setup: Setup) -> None:
    plain = run_job(setup, train_job(), SILENT)
    timed = run_job(
        replace(setup, needed=("latency_ms", "training_seconds")),
        train_job(checkpoint="c.npz"),
        SILENT,
    )
    assert {name: value for name, value in timed.metrics.items() if name not in TIMES} == dict(
        plain.metrics
    )
    assert timed.files == plain.files, "measuring changes nothing"
    assert 0 < timed.metrics["latency_ms"] < 1000
    seconds = timed.history["training_seconds"]
    assert (
        0
        < seconds[0]
        < seconds[1]
        < seconds[2]
        == timed.metrics["training_seconds"]
        < timed.seconds
    )


def test_the_seconds_of_a_training_go_on_from_its_checkpoint(setup: Setup) -> None:
    needed = replace(setup, needed=("training_seconds",))
    first = run_job(needed, train_job(epochs=1, checkpoint="c.npz"), SILENT)
    second = run_job(needed, train_job(epochs=2, checkpoint="c.npz"), SILENT)
    seconds = second.history["training_seconds"]
    assert (
        seconds[0]
        == first.metrics["training_seconds"]
        < seconds[1]
        == second.metrics["training_seconds"]
    )


def test_the_latency_is_a_median_of_milliseconds() -> None:
    ticks = iter([0.0, 0.002, 1.0, 1.004, 2.0, 2.9])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert latency_ms(
        model, np.ones((1, 3), np.float32), repeats=3, clock=lambda: next(ticks)
    ) == pytest.approx(4)


def test_the_same_job_gives_the_same_outcome_and_another_seed_another(setup: Setup) -> None:
    first = run_job(setup, train_job(genome=WHOLE), SILENT)
    assert same(run_job(setup, train_job(genome=WHOLE), SILENT)) == same(first)
    assert (
        run_job(setup, train_job(genome=WHOLE, seed=12), SILENT).metrics["val_loss"]
        != first.metrics["val_loss"]
    )


def test_the_generators_of_the_process_are_left_alone(setup: Setup) -> None:
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    run_job(setup, train_job(genome=WHOLE, epochs=1), SILENT)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


@pytest.mark.parametrize("more", [(), (Gene.make("worker_plugin:print_much", {}, innovation=2),)])
def test_the_network_that_is_trained_is_the_one_that_is_built(
    setup: Setup, more: tuple[Gene, ...]
) -> None:
    """Also if it has an op of a plugin, and was measured in a graph before."""
    setup = with_plugin(setup)
    planned = genome((CONV, *more))
    trainer = trained_by_hand(setup, planned, epochs=2)
    outcome = run_job(setup, train_job(genome=planned, epochs=2), SILENT)
    assert outcome.history["loss"] == [row["loss"] for row in trainer.history]
    weights = load_weights(Path(setup.directory) / "weights/00005.npz")
    assert all(
        np.array_equal(ours, theirs)
        for ours, theirs in zip(weights, trainer.best_weights, strict=True)
    )


@pytest.mark.parametrize("plugins", [(), ("worker_plugin",)])
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"parameters": 10}, ["parameters, and the limit is 10"]),
        ({"flops": 20, "parameters": 10**6}, ["flops, and the limit is 20"]),
        (
            {"flops": 20, "parameters": 10},
            ["flops, and the limit is 20", "parameters, and the limit is 10"],
        ),
    ],
)
def test_a_network_beyond_a_limit_is_not_trained(
    setup: Setup, limits: dict[str, int], words: list[str], plugins: tuple[str, ...]
) -> None:
    job = train_job(genome=genome(units=10**10))  # more than any memory
    limited = replace(setup, limits=limits, plugins=plugins)
    outcome = run_job(limited, job, lambda epoch, metrics: pytest.fail("trained"))
    assert outcome.state is TrialState.INFEASIBLE
    assert all(word in outcome.message for word in words)
    assert (
        f"{int(outcome.metrics['parameters']):,}" in outcome.message
        or "parameters" not in outcome.message
    )
    assert not outcome.files


def test_a_training_that_diverges_says_where(setup: Setup) -> None:
    sgd = Gene.make("sgd", {"learning_rate": 1e30}, innovation=1)
    outcome = run_job(setup, train_job(genome=genome((CONV,), optimizer=sgd)), SILENT)
    assert outcome.state is TrialState.DIVERGED
    assert "in epoch" in outcome.message
    assert not outcome.files
    assert not (Path(setup.directory) / "weights/00005.npz").exists()


def test_a_device_without_memory(setup: Setup) -> None:
    outcome = run_job(setup, train_job(genome=genome((), units=10**10)), SILENT)
    assert outcome.state is TrialState.OOM_DEVICE
    assert run_job(setup, train_job(), SILENT).state is TrialState.OK  # the process goes on


@pytest.mark.parametrize(
    ("op", "state", "message"),
    [
        ("fail", TrialState.ERROR, "RuntimeError: the plugin has failed"),
        ("fail_in_silence", TrialState.ERROR, "RuntimeError: the plugin has failed"),
        ("fill", TrialState.OOM_HOST, "out of memory"),
    ],
)
def test_what_a_network_raises_is_its_outcome(
    setup: Setup, op: str, state: TrialState, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    job = train_job(genome=genome((Gene.make(f"worker_plugin:{op}", {}, innovation=1),)))
    outcome = run_job(with_plugin(setup), job, SILENT)
    assert outcome.state is state
    assert message in outcome.message
    assert ("Traceback" in capfd.readouterr().err) is (state is TrialState.ERROR)


@pytest.mark.parametrize(
    "error",
    [
        DiskFailure("weights/00005.npz cannot be written: No space left on device."),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
    ],
)
def test_a_full_disk_is_told_as_the_cause(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("evonas.evaluate.training.train_job.save_weights", fail)
    outcome = run_job(setup, train_job(epochs=1), SILENT)
    assert (outcome.state, outcome.details) == (TrialState.LOST, Details(cause=Cause.DISK))
    assert outcome.message == str(error)


def test_another_error_of_the_system_is_one_of_the_network(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")

    monkeypatch.setattr("evonas.evaluate.training.train_job.save_weights", fail)
    assert run_job(setup, train_job(epochs=1), SILENT).state is TrialState.ERROR


def test_a_long_epoch_gives_signs_of_life(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evonas.evaluate.training.trainer.BATCHES_PER_CALL", 2)
    signs: list[None] = []
    outcome = run_job(setup, train_job(epochs=2), SILENT, lambda: signs.append(None))
    assert outcome.state is TrialState.OK
    assert len(signs) == 2 * 3  # 70 samples, batches of 16, two batches a call


def test_signs_of_life_are_sent_once_a_second_at_most() -> None:
    times = iter([0.0, 0.0, 0.9, 1.0, 1.5, 1.9, 2.0, 7.0, 7.5])  # the first when it is made
    now: list[float] = []
    sent: list[float] = []
    alive = throttled(lambda: sent.append(now[-1]), 1.0, lambda: now.append(next(times)) or now[-1])
    for _ in range(8):
        alive()
    assert sent == [1.0, 2.0, 7.0]


def test_an_op_of_a_module_that_is_no_plugin_is_not_imported(setup: Setup) -> None:
    job = train_job(genome=genome((Gene.make("worker_plugin:fail", {}, innovation=1),)))
    outcome = run_job(setup, job, SILENT)
    assert outcome.state is TrialState.ERROR
    assert "not among the plugins" in outcome.message


def test_a_killed_training_goes_on_where_it_was(setup: Setup) -> None:
    cache = TensorCache()
    whole = train(setup, train_job(genome=WHOLE, epochs=5), SILENT, cache)
    job = train_job(genome=WHOLE, epochs=5, checkpoint="checkpoints/00005.npz")

    def die(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(setup, job, die, cache, checkpoint_seconds=0.0)
    told: list[int] = []
    resumed = train(setup, job, lambda epoch, metrics: told.append(epoch), cache)
    assert told == [4, 5]
    assert same(resumed) == same(whole)  # with the sha256 of the weights


def test_a_checkpoint_that_does_not_fit_is_no_failure(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run_job(setup, train_job(), SILENT)
    path = Path(setup.directory) / "checkpoints/00005.npz"
    run_job(setup, train_job(seed=12, checkpoint="checkpoints/00005.npz"), SILENT)
    foreign = path.read_bytes()
    for content in (foreign, foreign[:1000], b""):
        path.write_bytes(content)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            outcome = run_job(setup, train_job(checkpoint="checkpoints/00005.npz"), SILENT)
        assert same(outcome) == same(whole)
        assert "is not used" in caplog.text


def test_a_training_does_not_go_on_from_epochs_of_other_code(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_plugin = replace(setup, plugins=("my_ops",))
    told: list[int] = []
    for code, epochs in (({"my_ops": "a"}, 2), ({"my_ops": "a"}, 3), ({"my_ops": "b"}, 4)):
        monkeypatch.setattr("evonas.evaluate.training.train_job.code_now", lambda code=code: code)
        told.clear()
        job = train_job(epochs=epochs, checkpoint="checkpoints/00005.npz")
        run_job(with_plugin, job, lambda epoch, metrics: told.append(epoch))
        assert told == ([3] if epochs == 3 else list(range(1, epochs + 1)))


def test_a_longer_training_continues_a_finished_one(setup: Setup) -> None:
    whole = run_job(setup, train_job(genome=WHOLE, epochs=5), SILENT)
    run_job(
        setup,
        train_job(
            genome=WHOLE, epochs=2, checkpoint="checkpoints/00001.npz", weights="weights/00001.npz"
        ),
        SILENT,
    )
    told: list[int] = []
    job = train_job(
        genome=WHOLE,
        epochs=5,
        resume_from="checkpoints/00001.npz",
        checkpoint="checkpoints/00005.npz",
    )
    assert same(run_job(setup, job, lambda epoch, metrics: told.append(epoch))) == same(whole)
    assert told == [3, 4, 5]


def test_a_training_that_is_cut_short_counts_and_is_continued(setup: Setup) -> None:
    """Continued, and cut short once more where it was the first time, from nothing."""
    whole = run_job(setup, train_job(genome=WHOLE, epochs=5), SILENT)
    job = train_job(genome=WHOLE, epochs=5, checkpoint="checkpoints/00005.npz")
    cut = run_job(setup, job, lambda epoch, metrics: epoch == 2)
    assert cut.state is TrialState.OK
    assert (cut.epochs, cut.metrics[CUT_SHORT]) == (2, 2)
    for name, values in cut.history.items():
        assert values == whole.history[name][:2]
    best = int(cut.metrics["best_epoch"]) - 1
    assert cut.metrics["val_loss"] == cut.history["val_loss"][best]
    exported = run_job(setup, export_of(job), SILENT)
    assert exported.metrics["val_loss"] == pytest.approx(cut.metrics["val_loss"], rel=1e-6)

    repeated = replace(job, checkpoint=None, weights="weights/00006.npz", cut_after=2)
    again = run_job(setup, repeated, SILENT)
    assert same(replace(again, files={})) == same(replace(cut, files={}))
    assert list(again.files.values()) == list(cut.files.values())

    assert same(run_job(setup, job, SILENT)) == same(whole)


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_is_not_cut_short_by_its_own_end(setup: Setup, epochs: int) -> None:
    job = train_job(epochs=epochs, cut_after=epochs)
    assert same(run_job(setup, job, SILENT)) == same(
        run_job(setup, train_job(epochs=epochs), SILENT)
    )


@pytest.mark.parametrize("schedule", few(["cosine", "exponential"], "cosine"))
def test_a_schedule_is_as_long_as_the_full_training_whatever_a_job_asks_for(
    setup: Setup, schedule: str
) -> None:
    setup = replace(setup, epochs=9)
    planned = genome(optimizer=Gene.make("momentum", {"schedule": schedule}, innovation=1))
    whole = run_job(setup, train_job(epochs=9, genome=planned), SILENT)
    short = train_job(
        epochs=3, genome=planned, checkpoint="checkpoints/00001.npz", weights="weights/00001.npz"
    )
    part = run_job(setup, short, SILENT)
    told: list[int] = []
    job = train_job(epochs=9, genome=planned, resume_from="checkpoints/00001.npz")
    assert same(run_job(setup, job, lambda epoch, metrics: told.append(epoch))) == same(whole)
    assert told == [4, 5, 6, 7, 8, 9]
    assert part.history["val_loss"] == whole.history["val_loss"][:3]
    constant = genome(optimizer=Gene.make("momentum", {"schedule": "constant"}, innovation=1))
    other = run_job(setup, train_job(epochs=9, genome=constant), SILENT)
    assert other.history["val_loss"] != whole.history["val_loss"]
    shorter = run_job(
        replace(setup, epochs=4), job, SILENT
    )  # another schedule: its checkpoint does not fit
    assert shorter.history["val_loss"][0] != whole.history["val_loss"][0]


def test_a_hopeless_training_is_stopped_also_where_it_goes_on_from_a_shorter_one(
    setup: Setup,
) -> None:
    setup = replace(setup, epochs=9, stop={LEARNING_CURVE: {"after": 0.5, "margin": 1.0}})
    full = run_job(setup, train_job(epochs=9), SILENT)
    assert full.details == NO_DETAILS
    assert full.epochs == 9
    hopeless = -1000.0
    stopped = run_job(setup, train_job(epochs=9, incumbent=hopeless), SILENT)
    assert stopped.state is TrialState.OK
    stop = outcome_from_json(json.loads(encode(outcome_to_json(stopped)))).details.stopped
    assert stop is not None
    assert (
        (stop.epoch, stop.epochs, stop.incumbent)
        == (stopped.epochs, 9, hopeless)
        == (5, 9, hopeless)
    )
    assert stopped.history["val_loss"] == full.history["val_loss"][:5]
    assert stopped.metrics["val_loss"] == min(stopped.history["val_loss"])
    short = train_job(
        epochs=3,
        incumbent=hopeless,
        checkpoint="checkpoints/00001.npz",
        weights="weights/00001.npz",
    )
    part = run_job(setup, short, SILENT)
    assert (part.epochs, part.details) == (3, NO_DETAILS)
    told: list[int] = []
    job = train_job(epochs=9, incumbent=hopeless, resume_from="checkpoints/00001.npz")
    assert same(run_job(setup, job, lambda epoch, metrics: told.append(epoch))) == same(stopped)
    assert told == [4, 5]


def test_the_gene_epochs_ends_a_training_and_the_job_does_so_before(setup: Setup) -> None:
    text = SPACE.replace(
        "{batch_size: {choice: [16, 32]}}", "{batch_size: 16, epochs: {choice: [2, 50]}}"
    )
    for wanted, epochs in ((2, 2), (50, 4)):
        training = Gene.make("training", {"epochs": wanted}, innovation=1)
        sections = {**dict(genome().sections), "training": (training,)}
        planned = Genome(tuple(sections.items()))
        outcome = run_job(replace(setup, space=text), train_job(genome=planned, epochs=4), SILENT)
        assert (outcome.state, outcome.epochs) == (TrialState.OK, epochs)


def test_a_checkpoint_is_written_when_it_is_due_and_at_the_end(setup: Setup) -> None:
    path = Path(setup.directory) / "checkpoints/00005.npz"
    now, written = 0.0, []

    def tell(epoch: int, metrics: Mapping[str, float]) -> None:
        nonlocal now
        now += 20.0
        written.append(path.exists() and path.stat().st_mtime_ns)
        time.sleep(0.01)

    job = train_job(epochs=6, checkpoint="checkpoints/00005.npz")
    train(setup, job, tell, TensorCache(), checkpoint_seconds=30.0, clock=lambda: now)
    assert (
        written[0] is written[1] is False
    )  # after 20 s nothing; the one at 40 s comes after the report
    assert written[2] == written[3] != written[4] == written[5] != path.stat().st_mtime_ns


def test_an_export_is_the_trained_model(setup: Setup) -> None:
    trained = run_job(setup, train_job(genome=WHOLE), SILENT)
    outcome = run_job(setup, export_of(train_job(genome=WHOLE)), SILENT)
    assert outcome.state is TrialState.OK, outcome.message
    assert set(outcome.metrics) == {"val_loss", "val_accuracy", "test_loss", "test_accuracy"}
    for name in ("val_loss", "val_accuracy"):
        assert outcome.metrics[name] == pytest.approx(trained.metrics[name], rel=1e-6)
    root = Path(setup.directory)
    assert outcome.files == {"best.keras": sha256_of(root / "best.keras")}
    export = vars(export_of(train_job(genome=WHOLE)))
    shared = {item.name for item in fields(ScoreJob)}
    score = ScoreJob(**{name: export[name] for name in export.keys() & shared})
    assert run_job(setup, score, SILENT).metrics == outcome.metrics
    details = outcome.details.more
    assert (details["parameters"], details["flops"]) == (
        trained.metrics["parameters"],
        trained.metrics["flops"],
    )
    assert details["reload_difference"] <= 1e-6
    assert details["versions"] == {"tensorflow": tf.__version__, "keras": keras.__version__}
    assert details["layers"][0]["name"] == "input"
    assert encode(outcome_to_json(outcome))

    loaded = keras.models.load_model(root / "best.keras")
    x, y = np.load(root / "data/test/x.npy"), np.load(root / "data/test/y.npy")
    predictions = loaded.predict(x, verbose=0)
    assert (predictions.argmax(-1) == y).mean() == outcome.metrics["test_accuracy"]
    loss = -np.log(predictions[np.arange(len(y)), y]).mean()
    assert loss == pytest.approx(outcome.metrics["test_loss"], abs=1e-6)


def test_an_export_without_test_arrays_opens_none(setup: Setup) -> None:
    run_job(setup, train_job(epochs=1), SILENT)
    (Path(setup.directory) / "data/test/x.npy").unlink()
    outcome = run_job(
        setup, replace(export_of(train_job()), arrays={}, model="exports/00005.keras"), SILENT
    )
    assert outcome.state is TrialState.OK, outcome.message
    assert set(outcome.metrics) == {"val_loss", "val_accuracy"}
    assert (Path(setup.directory) / "exports/00005.keras").is_file()


def test_an_unfaithful_export_leaves_the_old_file(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job(setup, train_job(epochs=1), SILENT)
    root = Path(setup.directory)
    (root / "best.keras").write_text("old")
    load = keras.models.load_model

    def change(path: Path, **options: Any) -> Any:
        assert options["safe_mode"]
        model = load(path, **options)
        model.layers[-1].bias.assign_add([0.0, 1e-4, 0.0])
        return model

    monkeypatch.setattr(keras.models, "load_model", change)
    outcome = run_job(setup, export_of(train_job()), SILENT)
    assert outcome.state is TrialState.ERROR
    assert outcome.message.startswith("UnfaithfulExport")
    assert (root / "best.keras").read_text() == "old"
    assert [path.name for path in root.glob("*.keras")] == ["best.keras"]


def test_weights_of_another_network_are_refused(setup: Setup) -> None:
    run_job(setup, train_job(epochs=1), SILENT)
    other = genome(units=7)
    path = Path(setup.directory) / "weights/00005.npz"
    with pytest.raises(InvalidRecord, match="another model"):
        load_model(space_of(setup), other, INTERFACE, path)


class Worker:
    """The driver's side of a real worker process."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        handle.socket.settimeout(60)
        self.lines = handle.socket.makefile("rb")

    def send(self, message: dict[str, Any]) -> None:
        self.handle.socket.sendall(encode(message))

    def receive(self) -> tuple[str, dict[str, Any]]:
        """The next message; a slow epoch may give signs of life before it."""
        while len(message := json.loads(self.lines.readline())) == 1 and "alive" in message:
            assert message["alive"] == {"trial": 5, "attempt": 0}
        assert len(message) == 1
        return next(iter(message.items()))

    def close(self) -> None:
        self.lines.close()
        self.handle.socket.shutdown(socket.SHUT_RDWR)
        self.handle.socket.close()


@pytest.mark.parametrize("kind", ["subprocess", "fork_server"])
def test_a_worker_process(kind: Any, setup: Setup, tmp_path: Path) -> None:
    log, setup = tmp_path / "worker.log", with_plugin(setup)
    noisy = genome((CONV, Gene.make("worker_plugin:print_much", {}, innovation=2)))
    job = train_job(genome=noisy)
    preload = ("tensorflow", "keras")
    with start_launcher("evonas.evaluate.local.worker:serve", preload, prefer=kind) as launcher:
        handle = launcher.spawn({"CUDA_VISIBLE_DEVICES": "-1"}, log)
        worker = Worker(handle)
        worker.send({"setup": setup.to_json()})
        word, imported = worker.receive()
        assert word == "imported", "the setup does not name this code"
        assert "worker_plugin" in imported
        word, ready = worker.receive()
        assert word == "ready"
        assert ready["pid"] == handle.pid
        assert (ready["protocol"], ready["keras"]) == (PROTOCOL, keras.__version__)
        assert any("CPU" in device for device in ready["devices"])

        worker.send({"job": job.to_json()})
        answers = [worker.receive() for _ in range(4)]
        assert [(word, body["trial"], body["attempt"]) for word, body in answers] == [
            *[("progress", 5, 0)] * 3,
            ("outcome", 5, 0),
        ]
        body = {
            name: value
            for name, value in answers[-1][1].items()
            if name not in ("trial", "attempt")
        }
        assert same(outcome_from_json(body)) == same(run_job(setup, job, SILENT))

        os.kill(handle.pid, signal.SIGUSR1)
        if kind == "subprocess":
            worker.close()  # while it waits: an end of file
        else:
            worker.send({"job": replace(job, epochs=10**6).to_json()})
            worker.receive()
            worker.close()  # while it trains, with unread messages: a connection that is reset
        deadline = time.monotonic() + 30
        while (code := launcher.exit_code(handle)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert code == 0
    text = log.read_text()
    assert "noise" in text
    assert "most recent call first" in text  # what SIGUSR1 asks for


def test_a_schedule_has_a_step_for_every_batch_the_smaller_last_one_too(setup: Setup) -> None:
    """70 samples are five batches of 16, so that three epochs are a schedule of 15 steps."""
    planned = genome(optimizer=Gene.make("momentum", {"schedule": "cosine"}, innovation=1))
    outcome = run_job(setup, train_job(genome=planned), SILENT)
    losses = {}
    for steps in (14, 15):
        trainer = trained_by_hand(setup, planned, 3, steps)
        losses[steps] = [row["loss"] for row in trainer.history]
    assert outcome.history["loss"] == losses[15]
    assert losses[14] != losses[15], "or the length makes no difference here"
