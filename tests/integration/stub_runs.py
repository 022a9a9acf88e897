"""Runs with stub workers, killed wherever a test wants.

A process of its own: it forks, and pytest must not.

    python stub_runs.py make DIR STRATEGY TRIALS     a run that has not begun
    python stub_runs.py work DIR WORKERS             one session with stub worker processes
    python stub_runs.py inside DIR CAPACITY          one session with stubs inside the driver
    python stub_runs.py size DIR TRIALS EPOCHS       a long run with stubs inside the driver;
                                                     prints what it takes
    python stub_runs.py points DIR [ACTION [STEP]]   kill at every failpoint, resume, and print a
                                                     JSON report; or another action of
                                                     `evonas.failpoints`, where it applies

Habits of the stubs are in EVONAS_STUB. The failpoints are counted with stubs inside the driver,
which answer in a random order.
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

import psutil

from evonas import lifecycle, view
from evonas.errors import EvonasError
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.local.devices import device_shares
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher
from evonas.evaluate.pools.local import LocalPool
from evonas.failpoints import Plan, failpoints
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.progress import Progress
from evonas.runtime.record.reader import RecordReader
from evonas.testing import runs
from evonas.testing.stub_worker import Stub

STUB = "evonas.testing.stub_worker"


def work(root: Path, workers: int) -> None:
    """With real processes."""

    def pool(config: object, setup: Setup, root: Path) -> LocalPool:
        launcher = partial(ForkServerLauncher, f"{STUB}:serve", [STUB])
        shares = device_shares(workers, "cpu", [])
        return LocalPool(setup, shares, launcher, root / "logs", recycle_after=7)

    lifecycle.work(root, pool_factory=pool)


def work_inside(root: Path, capacity: int = 2) -> None:
    """With stubs in this process, so that failpoints can be counted."""
    # no crashes: they come by chance, and the failpoints must be the same each time
    stub = replace(Stub.from_environment(), crash=0.0)
    runs.work(root, capacity=capacity, stub=stub)


def content_hash(root: Path) -> str:
    return hashlib.sha256(json.dumps(runs.content(root)).encode()).hexdigest()


def child(function: Callable[[], object]) -> int:
    """Run a function in a fork, and return the exit code that the command line would have.

    It is negative for a signal.
    """
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
    """Act at the n-th failpoint for every n, resume, and compare the contents.

    Every second resume is killed once more.

    Args:
        action: one of `evonas.failpoints.Plan`; `enospc+` for a disk that stays full. Failures of
            the disk happen only where it is written.
        step: every `step`-th point is tried; a random one of the first `step` is the first.
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
    # the forks need not build again what this process remembers: readers of settings, the space
    view.load(scratch)
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


def size(folder: Path, trials: int, epochs: int) -> dict[str, float]:
    """What a run of the shipped `digits` with stubs takes: memory, disk and time."""
    # random: no duplicates, no kin
    changes = [f"budget.trials={trials}", f"training.epochs={epochs}", "strategy=random"]
    root, _ = lifecycle.create(load_config("digits", changes), folder)
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
    run = runs.work(root, observers=[Watch()], capacity=8)
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
        runs.make_run(
            directory, *runs.strategy_changes(sys.argv[3]), f"budget.trials={sys.argv[4]}"
        )
    elif command == "work":
        work(directory, int(sys.argv[3]))
    elif command == "inside":
        work_inside(directory, int(sys.argv[3]))
    elif command == "size":
        print(json.dumps(size(directory, int(sys.argv[3]), int(sys.argv[4]))))
    elif command == "points":
        print(json.dumps(points(directory, *sys.argv[3:4], *map(int, sys.argv[4:5]))))
