"""The fork server is killed by networks and from outside: who is guilty, and who is not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import evonas
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content

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
budget: {trials: 60}
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
    time.sleep(0.02)
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
    search: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, is_full: bool
) -> None:
    trials = 20 if is_full else 4
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
        assert all(attempt.details["cause"] == "fork server" for attempt in lost)


@pytest.mark.full
def test_killed_and_stopped_from_outside_at_random_instants_it_changes_nothing(
    search: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    calm = ("evaluator.python.arguments.killing=false",)
    assert search("calm", *calm).wait() == 0
    struck = 0
    with search("struck", *calm, "pool.local.workers=3") as driver:
        last = 0.0
        while driver.poll() is None:
            time.sleep(0.01)
            # Alone, a trial is tried twice: kills must not come as fast as that.
            if time.monotonic() - last < 1.5:
                continue
            last = time.monotonic()
            for process in psutil.Process(driver.pid).children(recursive=True):
                parent = process.parent()
                is_server = parent is not None and parent.ppid() == driver.pid
                if is_server and len(process.children()) and struck < 12:
                    process.send_signal(chance.choice([signal.SIGKILL, signal.SIGSTOP]))
                    struck += 1
    assert driver.returncode == 0
    assert struck > 0
    assert content(tmp_path / "runs" / "struck") == content(tmp_path / "runs" / "calm"), seed
