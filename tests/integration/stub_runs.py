"""Runs with stub workers, killed wherever a test wants. A process of its own: it forks, and pytest must not.

    python stub_runs.py make   DIR STRATEGY TRIALS [wide | stopping]
                                                       a run's directory, as `evonas run` leaves it before the search;
                                                       wide: in a space where no two random networks are equal;
                                                       stopping: with trainings stopped by their learning curves
    python stub_runs.py work   DIR WORKERS SLEEP       one session with stub worker processes
    python stub_runs.py inside DIR CAPACITY            one session with stubs inside the driver
    python stub_runs.py content DIR                    a hash of what must be the same
    python stub_runs.py size   DIR TRIALS EPOCHS       a long run with stubs inside the driver; prints what it takes
    python stub_runs.py points DIR [ACTION [STEP]]     kill at every failpoint, resume; prints a JSON report; another
                                                       action of `evonas.failpoints` instead, where it applies

The failpoints are counted with stubs inside the driver, which answer in a random order.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # no thread may live when this process forks

import numpy as np
import psutil

from evonas import api
from evonas.errors import EvonasError
from evonas.evaluate.local.devices import device_shares
from evonas.evaluate.local.launcher import ForkServerLauncher
from evonas.evaluate.pools.local import LocalPool
from evonas.failpoints import Plan, failpoints
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.progress import Progress
from evonas.runtime.record.reader import RecordReader
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
OBJECTIVES
training: {epochs: 3}
budget: {trials: TRIALS}
look_ahead: 5
pool: {local: {workers: 2, devices: cpu}}
"""


STOPPING = (
    "training: {epochs: 3}",
    "training: {epochs: 12, stop: {learning_curve: {after: 0.3, margin: 0.5}}}",
)
"""What of the config is replaced by what, to have hopeless trainings stopped."""
WIDE = ("{choice: [0.1, 0.01]}", "{float: [1e-4, 1.0], log: true}")
"""What of the space is replaced by what, to make it wide."""
FAR = ("look_ahead: 5", "look_ahead: 16")
"""What of the config is replaced by what in a wide space, so that many workers have work."""


def make(directory: Path, strategy: str, trials: int, kind: str = "") -> None:
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.savez(directory / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    (directory / "small.yaml").write_text(SPACE.replace(*WIDE) if kind == "wide" else SPACE)
    few = {
        "evolution": "{population: 5, replacement: {elitist: {elites: 1}}}",
        "nsga2": "{population: 5}",
    }
    settings = few.get(strategy, "{}")
    several = (
        "objectives: [val_accuracy, parameters, flops]" if strategy in ("nsga2", "nsga3") else ""
    )
    text = (
        CONFIG.replace("STRATEGY", strategy)
        .replace("SETTINGS", settings)
        .replace("TRIALS", str(trials))
    )
    text = text.replace("OBJECTIVES", several)
    text = text.replace(*{"stopping": STOPPING, "wide": FAR}.get(kind, ("", "")))
    (directory / "stub.yaml").write_text(text)
    api.create(load_config(directory / "stub.yaml"), directory)


def work(root: Path, workers: int) -> None:
    """With real processes; how they behave is in EVONAS_STUB."""

    def pool(config: object, setup: object, root: Path) -> LocalPool:
        launcher = partial(ForkServerLauncher, "evonas.testing.stub_worker:serve")
        return LocalPool(
            setup, device_shares(workers, "cpu", []), launcher, root / "logs", recycle_after=7
        )  # type: ignore[arg-type]

    api.work(root, pool_factory=pool)


def work_inside(root: Path, capacity: int = 2) -> None:
    """With stubs in this process, so that failpoints can be counted; none of them crashes, which would be by chance."""
    stub = replace(Stub.from_environment(), crash=0.0)
    api.work(root, pool_factory=lambda config, setup, root: StubPool(setup, capacity, stub))


def content_hash(root: Path) -> str:
    with RecordReader(root / "run.db") as record:
        return hashlib.sha256(json.dumps(record.content()).encode()).hexdigest()


def child(function: Callable[[], object]) -> int:
    """Run it in a fork; its exit code as that of the command line, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except EvonasError as error:
            os._exit(error.exit_code)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def points(template: Path, action: str = "kill", step: int = 1) -> dict[str, object]:
    """Act at the n-th failpoint for every n, every second time kill once more during the resume; compare the contents.

    Args:
        action: of `evonas.failpoints.Plan`; `enospc+` for a disk that stays full. Failures of the disk happen
            where it is written only.
        step: only every so many points are tried; a random one of the first `step` is the first.
    """
    scratch = template.parent / "scratch"

    def fresh() -> Path:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(template, scratch)
        return scratch

    def counted() -> None:
        failpoints.arm(0)
        work_inside(scratch)
        seen = {"names": failpoints.names, "writes": failpoints.writes}
        (template.parent / "seen.json").write_text(json.dumps(seen))

    def armed(at: int, what: str = "kill") -> int:
        plan = Plan.parse(f"{at}+:{what[:-1]}" if what.endswith("+") else f"{at}:{what}")
        return child(lambda: (failpoints.arm(plan), work_inside(scratch)))

    fresh()
    api.load(
        scratch
    )  # the forks need not build again what is remembered: readers of settings, the search space
    assert child(counted) == 0
    reference = content_hash(scratch)
    seen = json.loads((template.parent / "seen.json").read_text())
    names = seen["names"]
    files = [at for at, name in enumerate(names, 1) if name == "file.written"]
    everywhere = list(range(1, len(names) + 1))
    chosen = {"kill": everywhere, "torn": files}.get(action, seen["writes"])[
        random.randrange(step) :: step
    ]
    codes: Counter[int] = Counter()
    again, different, repeated = 0, [], 0
    for turn, at in enumerate(chosen):
        fresh()
        code = armed(at, action)
        codes[code] += 1
        if turn % 2 == 1:
            again += armed(random.randint(1, 30)) == -9
        last = child(lambda: work_inside(scratch))
        if last != 0 or content_hash(scratch) != reference:
            different.append((at, names[at - 1], code, last))
        with RecordReader(scratch / "run.db") as record:
            attempts = record.attempts()
            repeated = max(repeated, len(attempts) - len({attempt.trial for attempt in attempts}))
    return {
        "points": len(chosen),
        "kinds": len({names[at - 1] for at in chosen}),
        "killed": codes[-9],
        "killed_twice": again,
        "codes": {str(code): count for code, count in sorted(codes.items())},
        "different": different,
        "most_repeated": repeated,
        "content": reference,
    }


def size(runs: Path, trials: int, epochs: int) -> dict[str, float]:
    """The growth of the driver's memory over a run of the shipped `digits`, trained by stubs, and its record's size."""
    changes = [
        f"budget.trials={trials}",
        f"training.epochs={epochs}",
        "strategy=random",
    ]  # no twins, no kin
    root, _ = api.create(load_config("digits", changes), runs)
    process = psutil.Process()
    before: list[int] = []
    peak = 0

    class Watch(Observer):
        def on_start(self, progress: Progress) -> None:
            before.append(process.memory_info().rss)

        def on_progress(self, progress: Progress) -> None:
            nonlocal peak
            if progress.done % 100 == 0:
                peak = max(peak, process.memory_info().rss)

    started = time.monotonic()
    run = api.work(root, [Watch()], lambda config, setup, root: StubPool(setup, 8))
    return {
        "trials": len(run.trials),
        "epochs": epochs,
        "memory_growth_mb": (peak - before[0]) / 1e6,
        "record_mb": (root / "run.db").stat().st_size / 1e6,
        "ms_a_trial": 1000 * (time.monotonic() - started) / len(run.trials),
    }


if __name__ == "__main__":
    command, directory = sys.argv[1], Path(sys.argv[2])
    if command == "make":
        make(directory, sys.argv[3], int(sys.argv[4]), *sys.argv[5:6])
    elif command == "work":
        work(directory, int(sys.argv[3]))
    elif command == "inside":
        work_inside(directory, int(sys.argv[3]))
    elif command == "content":
        print(content_hash(directory))
    elif command == "size":
        print(json.dumps(size(directory, int(sys.argv[3]), int(sys.argv[4]))))
    elif command == "points":
        print(json.dumps(points(directory, *sys.argv[3:4], *map(int, sys.argv[4:5]))))
