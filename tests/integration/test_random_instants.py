"""Real networks, killed at random instants, also in training: the same record, the same weights."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evonas
from evonas.files import sha256_of
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.rows import Attempt
from evonas.testing import content

KILLS = 20
DRIVER = """
import sys
from pathlib import Path
from evonas import lifecycle
from evonas.runtime import session
from evonas.runtime.config.config_file import load_config

session.WORKER = "often:serve"
root = Path(sys.argv[1])
if not (root / "run.db").exists():
    lifecycle.create(load_config("digits", sys.argv[2:]), root.parent)
lifecycle.work(root)
"""

OFTEN = """
from functools import partial
from evonas.evaluate.local import worker

# after every epoch, rather than every half minute
worker.train = partial(worker.train, checkpoint_seconds=0.0)
serve = worker.serve
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


@pytest.mark.full
def test_killed_at_random_instants_the_winner_has_the_same_weights(tmp_path):
    reference, root = tmp_path / "reference", tmp_path / "killed"
    assert driver(reference).wait() == 0
    chance = random.SystemRandom()
    killed, cut_short = 0, 0
    for number in range(KILLS):
        before = progress(root)
        with driver(root) as process:
            kind = ("kept", "later", "early")[number % 3]
            while kind != "early" and progress(root) == before and process.poll() is None:
                time.sleep(0.1)  # until the worker is there, and trains
            while (
                kind == "kept"
                and not any(root.glob("checkpoints/*.npz"))
                and process.poll() is None
            ):
                time.sleep(0.002)  # until an epoch is kept
            time.sleep(chance.random() * {"kept": 0.0, "later": 0.7, "early": 6.0}[kind])
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        cut_short += any(root.glob("checkpoints/*.npz"))
    assert driver(root).wait() == 0
    assert killed > KILLS // 2, "it must be killed before it ends, or this shows nothing"
    assert cut_short, "some trainings must have been killed after an epoch that was kept"
    assert content(root) == content(reference)
    winner = evonas.load(root).best
    assert winner is not None
    assert weights(root)[f"{winner.id:05d}.npz"] == weights(reference)[f"{winner.id:05d}.npz"]
    assert weights(root) == weights(reference)
    print(f"{killed} kills, {cut_short} with a checkpoint")  # noqa: T201 - shown by `pytest -s`
