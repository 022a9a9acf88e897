"""The fork server is killed by networks and from outside: who is guilty, and who is not.

Drivers that are killed, pauses of everything, and a clock on the wall that jumps are mixed in.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import evonas
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content
from tests.slow import IS_FULL
from tests.strikes import JUMPING_WALL, are_gone, below, strike

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the fork server needs Linux"
)

EVONAS = "from evonas.cli.app import main; main()"

SPACE = """
space: small
input: none
network:
  layers: {length: [1, 3], ops: {dense: {units: {int: [2, 64]}}}}
"""

CONFIG = """
run: killed
seed: 2
space: ./small.yaml
evaluator: {python: {function: "judge:evaluate", arguments: {killing: true}}}
plugins: [judge]
objective: {name: score, direction: max}
strategy: {random: {}}
budget: {trials: 80}
pool: {local: {workers: 1}}
look_ahead: 4
"""

JUDGE = """
import os, subprocess, time

def units(genome):
    return sum(gene.parameters["units"] for gene in genome["layers"])

def evaluate(genome, killing):
    if killing and units(genome) % 5 == 0:
        # A process of its own must not be left either.
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        os.kill(os.getppid(), 9)
        time.sleep(1000)
    time.sleep(0.02 if killing else 0.1)
    return {"score": float(units(genome))}
"""


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts `evonas run`, with changes to the config."""
    (tmp_path / "small.yaml").write_text(SPACE)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "judge.py").write_text(JUDGE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}

    def start(name: str, *changes: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", EVONAS, "run", "config.yaml"]
        for change in (f"run={name}", *changes):
            command += ["--set", change]
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=2
        )

    return start


def states(root: Path) -> list[tuple[bool, str]]:
    """Of each trial, whether it kills, and its state."""
    found = []
    for trial in evonas.load(root).trials:
        layers = trial.genome["layers"]
        units = sum(gene.parameters["units"] for gene in layers)
        found.append((units % 5 == 0, str(trial.state)))
    return found


def test_a_network_that_kills_the_fork_server_is_found_out_and_costs_no_other(
    search: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    trials = 20 if IS_FULL else 4
    for workers in (1, 3):
        changes = (f"pool.local.workers={workers}", f"budget.trials={trials}")
        assert search(f"of-{workers}", *changes).wait() == 0
    few, many = tmp_path / "runs" / "of-1", tmp_path / "runs" / "of-3"
    assert set(states(few)) == {(True, "crashed"), (False, "ok")}
    assert content(few) == content(many)
    left = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert not any(str(tmp_path) in " ".join(command or ()) for command in left)
    with RecordReader(many / "run.db") as record:
        lost = [attempt for attempt in record.attempts() if attempt.state == "lost"]
        assert lost
        assert all(attempt.details.cause == "fork server" for attempt in lost)


DRIVER = f"""
{JUMPING_WALL}
import sys
from pathlib import Path
from evonas import lifecycle
from evonas.runtime.config.config_file import load_config

root = Path(sys.argv[1])
if not (root / "run.db").exists():
    lifecycle.create(load_config("config.yaml", sys.argv[2:]), root.parent)
lifecycle.work(root)
"""


def progress(root: Path) -> int:
    """The number of attempts that were ok."""
    if not (root / "run.db").exists():
        return 0
    with RecordReader(root / "run.db") as record:
        return sum(attempt.state == "ok" for attempt in record.attempts())


STRIKES = ("driver killed", "fork server killed", "fork server stopped", "all paused")
PAUSE = 2.5
"""Seconds: more than a trial may take."""
LIMITS = "limits={seconds: 2.0, stalled_seconds: 2.0}"


@pytest.mark.full
def test_whatever_strikes_at_random_instants_the_record_is_the_same(
    search: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    calm = ("evaluator.python.arguments.killing=false", "budget.seconds=600", LIMITS)
    assert search("calm", *calm).wait() == 0
    root = tmp_path / "runs" / "struck"
    command = [sys.executable, "-c", DRIVER, str(root), "run=struck", "pool.local.workers=3", *calm]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    struck: Counter[str] = Counter()
    left: list[str] = []
    started, code = time.monotonic(), -signal.SIGKILL
    while code == -signal.SIGKILL:
        with subprocess.Popen(command, cwd=tmp_path, env=environment) as process:
            driver, seen, family = psutil.Process(process.pid), progress(root), []
            while process.poll() is None:
                time.sleep(0.01)
                # Alone, a trial is tried twice. So that no trial is struck each time, one must
                # have come to its end since the last strike.
                if struck.total() >= 40 or (now := progress(root)) == seen:
                    continue
                time.sleep(chance.random() * 0.3)
                left = left or chance.sample(STRIKES, len(STRIKES))
                with contextlib.suppress(psutil.NoSuchProcess):
                    family = below(driver)
                    if strike(driver, left[-1], PAUSE):
                        seen = now
                        struck[left.pop()] += 1
        code = process.returncode
        assert are_gone(family), f"seed {seed}: a process outlives its driver"
    assert code == 0, seed
    assert set(struck) == set(STRIKES), seed
    assert content(root) == content(tmp_path / "runs" / "calm"), seed
    with RecordReader(root / "run.db") as record:
        worked = record.worked_seconds()
    assert 0.0 < worked < time.monotonic() - started - PAUSE * struck["all paused"] * 0.7, seed
    print(f"seed {seed}, {dict(struck)}, worked {worked:.1f} s")  # noqa: T201 - shown by `pytest -s`
