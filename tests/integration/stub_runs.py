"""Runs with stub workers, killed wherever a test wants. A process of its own: it forks, and pytest must not.

    python stub_runs.py make   DIR                     a run's directory, as `evonas run` leaves it before the search
    python stub_runs.py work   DIR WORKERS SLEEP       one session with stub worker processes
    python stub_runs.py points DIR                     kill at every failpoint, resume; prints a JSON report

The failpoints are counted with stubs inside the driver, which answer in a random order.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # no thread may live when this process forks

import numpy as np

from evonas import api
from evonas.evaluate.devices import slots
from evonas.evaluate.launcher import NurseryLauncher
from evonas.evaluate.local import LocalPool
from evonas.runtime.config_file import load_config
from evonas.runtime.record import RecordReader
from evonas.testing.failpoints import failpoints
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub

SPACE = """
space: small
input: vector
network:
  layers:
    length: [1, 2]
    ops:
      dense: {units: {choice: [4, 8, 16]}, activation: {choice: [relu, tanh]}}
settings:
  optimizer: {ops: {adam: {learning_rate: {choice: [0.1, 0.01]}}}}
  training: {ops: {training: {batch_size: 16}}}
"""

CONFIG = """
run: stub
space: ./small.yaml
data: {path: data.npz, task: classification}
strategy: {STRATEGY: SETTINGS}
training: {epochs: 3}
budget: {trials: TRIALS}
look_ahead: 5
pool: {local: {workers: 2, devices: cpu}}
"""


def make(directory: Path, strategy: str, trials: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.savez(directory / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    (directory / "small.yaml").write_text(SPACE)
    settings = "{population: 5, replacement: {elitist: {elites: 1}}}" if strategy == "evolution" else "{}"
    text = CONFIG.replace("STRATEGY", strategy).replace("SETTINGS", settings).replace("TRIALS", str(trials))
    (directory / "stub.yaml").write_text(text)
    api.create(load_config(directory / "stub.yaml"), directory)


def work(root: Path, workers: int) -> None:
    """With real processes; how they behave is in EVONAS_STUB."""

    def pool(config: object, setup: object, root: Path) -> LocalPool:
        launcher = partial(NurseryLauncher, "evonas.testing.stub_worker:serve")
        return LocalPool(setup, slots(workers, "cpu", []), launcher, root / "logs", recycle_after=7)  # type: ignore[arg-type]

    api.work(root, pool_factory=pool)


def work_inside(root: Path, capacity: int = 2) -> None:
    """With stubs in this process, so that failpoints can be counted; none of them crashes, which would be by chance."""
    stub = replace(Stub.from_environment(), crash=0.0)
    api.work(root, pool_factory=lambda config, setup, root: StubPool(setup, capacity, stub))


def content_hash(root: Path) -> str:
    with RecordReader(root / "run.db") as record:
        return hashlib.sha256(json.dumps(record.content()).encode()).hexdigest()


def child(function: Callable[[], object]) -> int:
    """Run it in a fork; its exit code, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def points(template: Path) -> dict[str, object]:
    """Kill at the n-th failpoint for every n, every second time once more during the resume; compare the contents."""
    scratch = template.parent / "scratch"
    report: dict[str, object] = {}

    def fresh() -> Path:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(template, scratch)
        return scratch

    def counted() -> None:
        failpoints.arm(0)
        work_inside(scratch)
        (template.parent / "names.json").write_text(json.dumps(failpoints.names))

    fresh()
    assert child(counted) == 0
    reference = content_hash(scratch)
    names = json.loads((template.parent / "names.json").read_text())
    killed, again, different, repeated = 0, 0, [], 0
    for at in range(1, len(names) + 1):
        fresh()
        killed += child(lambda at=at: (failpoints.arm(at), work_inside(scratch))) == -9  # type: ignore[misc]
        if at % 2 == 0:
            second = random.randint(1, 30)
            again += child(lambda at=second: (failpoints.arm(at), work_inside(scratch))) == -9  # type: ignore[misc]
        code = child(lambda: work_inside(scratch))
        if code != 0 or content_hash(scratch) != reference:
            different.append((at, names[at - 1], code))
        with RecordReader(scratch / "run.db") as record:
            attempts = record.attempts()
            repeated = max(repeated, len(attempts) - len({attempt.trial for attempt in attempts}))
    report.update(points=len(names), kinds=len(set(names)), killed=killed, killed_twice=again)
    report.update(different=different, most_repeated=repeated, content=reference)
    return report


if __name__ == "__main__":
    command, directory = sys.argv[1], Path(sys.argv[2])
    if command == "make":
        make(directory, sys.argv[3], int(sys.argv[4]))
    elif command == "work":
        work(directory, int(sys.argv[3]))
    elif command == "inside":
        work_inside(directory, int(sys.argv[3]))
    elif command == "points":
        print(json.dumps(points(directory)))
