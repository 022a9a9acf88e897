"""Supervision of real workers: TensorFlow out of memory, in an endless call, or hoarding memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.pool import Finished, Report
from evonas.evaluate.contract.protocol import Setup, TrainJob
from evonas.evaluate.evaluators.registry import DEFAULT
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.pools.local import LocalPool
from evonas.genome import Gene, Genome
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.memory import MIB
from evonas.trial import Outcome, TrialState

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc, and uses the fork server"
)

SPACE = """
space: supervised
input: vector
network:
  body: {length: [0, 1], ops: {"supervised_plugin:spin": {}, "supervised_plugin:hoard": {}}}
  head: {length: [0, 1], ops: {dense: {units: {int: [2, 10000000000]}}}}
settings:
  optimizer: {ops: {sgd: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""

PLUGIN = """
import keras
import numpy as np
import tensorflow as tf

HOARD = []

class Spin(keras.layers.Layer):
    def call(self, x):
        # One TensorFlow op after the other, in one call, for ever.
        end = tf.while_loop(lambda i: i >= 0, lambda i: 1 - i, [tf.constant(0, tf.int64)])[0]
        return x + 0.0 * tf.cast(end, tf.float32)

def spin(x):
    return Spin()(x)

def hoard(x):
    HOARD.append(np.ones(1500 * 2**17))
    return spin(x)
"""


def genome(*body: str, units: int = 4) -> dict[str, object]:
    sections = {
        "body": tuple(Gene.make(f"supervised_plugin:{op}", {}, innovation=1) for op in body),
        "head": (Gene.make("dense", {"units": units}, innovation=1),),
        "optimizer": (Gene.make("sgd", {}, innovation=1),),
        "training": (Gene.make("training", {"batch_size": 16}, innovation=1),),
    }
    return Genome(tuple(sections.items()))


def job(trial: int, *body: str, epochs: int = 2, units: int = 4) -> TrainJob:
    weights = f"weights/{trial}.npz"
    return TrainJob(
        trial=trial,
        attempt=0,
        session=1,
        genome=genome(*body, units=units),
        seed=trial,
        epochs=epochs,
        weights=weights,
    )


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    for part in ("train", "validation"):
        y = rng.integers(0, 2, 64).astype(np.int32)
        np.save(
            tmp_path / f"data/x_{part}.npy",
            (rng.normal(size=(64, 3)) + y[:, None]).astype(np.float32),
        )
        np.save(tmp_path / f"data/y_{part}.npy", y)
    (tmp_path / "supervised_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    given = InputSpec.normalized("vector", (3,), (0.0,) * 3, (1.0,) * 3)
    interface = Interface(given, "classification", ("a", "b"))
    objective = {"name": "val_loss", "direction": "min"}
    return Setup(
        str(tmp_path),
        0,
        SPACE,
        interface.to_json(),
        objective,
        plugins=("supervised_plugin",),
        evaluator=described(DEFAULT),
    )


def open_pool(setup: Setup, **options: object) -> LocalPool:
    launcher = lambda: start_launcher("evonas.evaluate.local.worker:serve", ("tensorflow", "keras"))  # noqa: E731
    return LocalPool(setup, [DeviceShare(0)], launcher, Path(setup.directory) / "logs", **options)  # type: ignore[arg-type]


def outcome_of(pool: LocalPool, job: TrainJob) -> Outcome:
    pool.submit(job)
    reports: list[Report] = []
    while pool.running:
        reports += pool.poll(5.0)
    (outcome,) = [report.outcome for report in reports if isinstance(report, Finished)]
    return outcome


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.01)


@pytest.mark.full
def test_what_a_real_network_may_do_to_its_worker(setup: Setup) -> None:
    limits = MemoryLimits(growth=None, worker=1200 * MIB, floor=0)
    with open_pool(setup, time_limit=20.0, memory_limits=limits) as pool:
        assert outcome_of(pool, job(0)).state is TrialState.OK
        first = pool._slots[0].group

        greedy = outcome_of(pool, job(1, units=10**10))
        assert greedy.state is TrialState.OOM_DEVICE
        assert "TensorFlow is out of memory" in greedy.message
        assert pool._slots[0].group is None  # replaced, with the memory that it may still hold
        assert first is not None
        assert is_gone(first)

        hoarding = outcome_of(pool, job(2, "hoard"))
        assert hoarding.state is TrialState.OOM_HOST, hoarding
        assert "pool.local.memory_mb, is 1,200 MiB" in hoarding.message

        endless = outcome_of(pool, job(3, "spin", epochs=1000))
        assert (endless.state, endless.details.clock) == (TrialState.TIMEOUT, "trial")
        assert outcome_of(pool, job(4)).state is TrialState.OK


@pytest.mark.full
def test_one_call_without_an_end_gives_no_sign_of_life(setup: Setup) -> None:
    with open_pool(setup, stalled_limit=5.0) as pool:
        outcome = outcome_of(pool, job(0, "spin"))
        assert (outcome.state, outcome.details.clock) == (TrialState.TIMEOUT, "stalled")


DRIVER = """
import json, sys
from pathlib import Path
from evonas.evaluate.evaluators.registry import DEFAULT
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launching import start_launcher
from evonas.evaluate.pools.local import LocalPool
from evonas.evaluate.contract.protocol import Setup, job_from_json

setup, job = json.loads(sys.stdin.read())
launcher = start_launcher("evonas.evaluate.local.worker:serve", ("tensorflow", "keras"))
logs = Path(setup["directory"]) / "logs"
pool = LocalPool(Setup.from_json(setup), [DeviceShare(0)], launcher, logs)
pool.submit(job_from_json(job))
while True:
    pool.poll(1.0)
"""


def test_a_worker_in_one_long_call_ends_with_its_driver(setup: Setup, tmp_path: Path) -> None:
    talk = json.dumps([setup.to_json(), job(0, "spin").to_json()])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    everyone: list[psutil.Process] = []
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, env=environment, text=True
    ) as driver:
        try:
            assert driver.stdin is not None
            driver.stdin.write(talk)
            driver.stdin.close()

            def is_deep_in_tensorflow() -> bool:
                everyone[:] = psutil.Process(driver.pid).children(recursive=True)
                # The reaper, the fork server, the worker.
                return len(everyone) == 3 and everyone[2].cpu_times().user > 4.0

            wait_for(is_deep_in_tensorflow)
        finally:
            driver.send_signal(signal.SIGKILL)
    wait_for(lambda: all(is_gone(process.pid) for process in everyone))
