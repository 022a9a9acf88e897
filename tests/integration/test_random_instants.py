"""Real networks, killed at random instants, also while they are trained: the same record, and the same weights.

Twenty kills with EVONAS_FAULTS=full, three otherwise.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import evonas
from evonas.files import sha256_of
from evonas.runtime.record import Attempt, RecordReader

KILLS = 20 if os.environ.get("EVONAS_FAULTS") == "full" else 3
CODE = (
    "import sys\nfrom pathlib import Path\nfrom functools import partial\nfrom evonas import api\n"
    "from evonas.runtime.config_file import load_config\n"
    "root = Path(sys.argv[1])\n"
    "root.exists() or api.create(load_config('digits', sys.argv[2:]), root.parent)\n"
    "api.work(root)\n"
)
SETTINGS = (
    "strategy={evolution: {population: 4, replacement: {elitist: {elites: 1}}}}",
    *("look_ahead=4", "training.patience=null", "limits={parameters: 60000, flops: 1000000}"),
)


def driver(root: Path, *settings: str) -> subprocess.Popen[bytes]:
    changes = [f"run={root.name}", *SETTINGS, *settings]
    environment = {**os.environ, "EVONAS_CHECKPOINT_SECONDS": "0"}
    return subprocess.Popen([sys.executable, "-c", CODE, str(root), *changes], env=environment)


def attempts(root: Path) -> list[Attempt]:
    if not (root / "run.db").exists():
        return []
    with RecordReader(root / "run.db") as record:
        return record.attempts()


def content(root: Path) -> list[tuple[object, ...]]:
    with RecordReader(root / "run.db") as record:
        return record.content()


def weights(root: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted(root.glob("weights/*.npz"))}


def test_killed_at_random_instants_the_winner_has_the_same_weights(tmp_path):
    size = ("budget.trials=8", "training.epochs=6") if KILLS > 3 else ("budget.trials=4", "training.epochs=3")
    reference = tmp_path / "reference"
    assert driver(reference, *size).wait() == 0
    root = tmp_path / "killed"
    chance = random.SystemRandom()
    from_checkpoint = 0
    for number in range(KILLS):
        started = len(attempts(root))
        with driver(root, *size) as process:
            while len(attempts(root)) == started and process.poll() is None:
                time.sleep(0.02)  # until a training was begun: the next instants are its
            time.sleep(chance.random() * (5.0 if number % 2 else 2.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
        from_checkpoint += any(root.glob("checkpoints/*.npz"))
    assert driver(root, *size).wait() == 0
    assert content(root) == content(reference)
    winner = evonas.load(root).best
    assert winner is not None
    name = f"{winner.id:05d}.npz"
    assert weights(root)[name] == weights(reference)[name]
    assert weights(root) == weights(reference)
    abandoned = [attempt for attempt in attempts(root) if attempt.state == "abandoned"]
    assert abandoned, "some trials must have been running when it was killed"
    assert KILLS <= 3 or from_checkpoint, "some trainings must have gone on from a checkpoint"
