"""Real networks, struck at random instants, also in training: the same record, the same weights.

The driver is killed, its fork server is killed or stopped, all processes are paused, and the clock
on the wall jumps by hours.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

import evonas
from evonas.files import sha256_of
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content
from evonas.trial import Attempt
from tests.strikes import JUMPING_WALL, are_gone, below, strike

STRIKES = {
    "driver killed": 20,
    "fork server killed": 6,
    "fork server stopped": 6,
    "all paused": 8,
}
"""What strikes, and how often."""
PAUSE = 1.5
"""Seconds."""

DRIVER = f"""
{JUMPING_WALL}
import sys
from pathlib import Path
from evonas import lifecycle
from evonas.evaluate.evaluators import keras_training
from evonas.runtime.config.config_file import load_config

keras_training.WORKER = "often:serve"
root = Path(sys.argv[1])
if not (root / "run.db").exists():
    lifecycle.create(load_config("digits", sys.argv[2:]), root.parent)
lifecycle.work(root)
"""

OFTEN = """
from functools import partial
from evonas.evaluate.local.worker import serve
from evonas.evaluate.training import keras_jobs

# after every epoch, rather than every half minute
keras_jobs.train = partial(keras_jobs.train, checkpoint_seconds=0.0)
"""

SETTINGS = (
    "strategy={evolution: {population: 4, replacement: {elitist: {elites: 1}}}}",
    # one worker: what a kill costs is the start of TensorFlow and one compilation
    "pool={local: {workers: 1, devices: cpu}}",
    "look_ahead=4",
    "training.patience=null",
    "limits={parameters: 60000, flops: 1000000}",
    "budget.trials=8",
    "training.epochs=24",
)


def driver(root: Path) -> subprocess.Popen[bytes]:
    (root.parent / "often.py").write_text(OFTEN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root.parent), *sys.path])}
    arguments = [str(root), f"run={root.name}", *SETTINGS]
    return subprocess.Popen([sys.executable, "-c", DRIVER, *arguments], env=environment)


def progress(root: Path) -> tuple[int, float]:
    """Changes with every outcome and with every checkpointed epoch."""
    written = [path.stat().st_mtime for path in root.glob("checkpoints") if path.is_dir()]
    return sum(attempt.ended is not None for attempt in attempts(root)), max(written, default=0.0)


def attempts(root: Path) -> list[Attempt]:
    if not (root / "run.db").exists():
        return []
    with RecordReader(root / "run.db") as record:
        return record.attempts()


def weights(root: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted(root.glob("weights/*.npz"))}


def successes(root: Path) -> int:
    return sum(attempt.state == "ok" for attempt in attempts(root))


def plan(chance: random.Random) -> list[str]:
    words = [what for what, times in STRIKES.items() for _ in range(times)]
    chance.shuffle(words)
    return words


def wait_for_a_moment(
    root: Path, process: subprocess.Popen[bytes], number: int, chance: random.Random
) -> None:
    """Until a random moment of the start, of a training, or just after an epoch was kept."""
    kind = ("kept", "later", "early")[number % 3]
    before = progress(root)
    while kind != "early" and progress(root) == before and process.poll() is None:
        time.sleep(0.1)  # until the worker is there, and trains
    while kind == "kept" and not any(root.glob("checkpoints/*.npz")) and process.poll() is None:
        time.sleep(0.002)  # until an epoch is kept
    time.sleep(chance.random() * {"kept": 0.0, "later": 0.7, "early": 6.0}[kind])


@pytest.mark.full
@pytest.mark.timeout(1800)  # two to four minutes where nothing else runs
def test_struck_at_random_instants_the_winner_has_the_same_weights(tmp_path):
    reference, root = tmp_path / "reference", tmp_path / "struck"
    assert driver(reference).wait() == 0
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    struck: Counter[str] = Counter()
    cut_short, ended = 0, -1
    family: list[psutil.Process] = []
    process = driver(root)
    for number, what in enumerate(plan(chance)):
        wait_for_a_moment(root, process, number, chance)
        # A trial that kills the fork server whenever it is alone is `crashed`: so a trial comes to
        # its end before this is done again.
        if what == "fork server killed" and successes(root) == ended:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            family = below(psutil.Process(process.pid))
            struck[what] += strike(psutil.Process(process.pid), what, PAUSE)
        if what == "fork server killed":
            ended = successes(root)
        if what == "driver killed":
            process.wait()
            assert are_gone(family), f"seed {seed}: a process outlives its driver"
            cut_short += any(root.glob("checkpoints/*.npz"))
            process = driver(root)
    assert process.wait() == 0, seed
    assert struck.total() > sum(STRIKES.values()) // 2, "or this shows nothing"
    assert cut_short, "some trainings must have been killed after an epoch that was kept"
    assert content(root) == content(reference), seed
    winner = evonas.load(root).best
    assert winner is not None
    assert weights(root)[f"{winner.id:05d}.npz"] == weights(reference)[f"{winner.id:05d}.npz"]
    assert weights(root) == weights(reference), seed
    print(f"seed {seed}: {dict(struck)}, {cut_short} with a checkpoint")  # noqa: T201 - `pytest -s`
