"""Workers are killed all the time: no trial is lost or recorded twice, no process is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import WIDE_SPACE, make_run
from evonas.trial import Objective, TrialState
from tests.slow import IS_FULL

TRIALS = 300 if IS_FULL else 60
EVERY = 0.2
STUB_RUNS = Path(__file__).parents[1] / "integration" / "stub_runs.py"


def workers_of(driver: psutil.Process) -> list[psutil.Process]:
    """The children of the driver's fork server, which is the child of its reaper."""
    try:
        (reaper,) = driver.children()
        (fork_server,) = reaper.children()
        return fork_server.children()
    # None of them is there yet, or any more.
    except (ValueError, psutil.NoSuchProcess):
        return []


def is_searching(run: Path) -> bool:
    """Whether any trial waits for its outcome; the export after the search is left in peace."""
    with RecordReader(run / "run.db") as record:
        return record.count(TrialState.WAITING) > 0


def test_trials_survive_a_killer_of_workers(tmp_path: Path) -> None:
    # a wide space, for the duplicates of a small one need no worker, and enough work for eight
    changes = ("strategy=random", f"budget.trials={TRIALS}", "look_ahead=16")
    root = make_run(tmp_path, *changes, space=WIDE_SPACE)
    environment = {
        **os.environ,
        "EVONAS_STUB": json.dumps({"sleep": 0.15}),
        "EVONAS_TEST_MARK": str(tmp_path),
    }
    command = [sys.executable, str(STUB_RUNS), "work", str(root), "8"]
    chance, kills = random.SystemRandom(), 0
    with subprocess.Popen(command, env=environment) as process:
        driver = psutil.Process(process.pid)
        while process.poll() is None:
            time.sleep(EVERY)
            if is_searching(root) and (workers := workers_of(driver)):
                try:
                    chance.choice(workers).send_signal(signal.SIGKILL)
                    kills += 1
                except psutil.NoSuchProcess:
                    continue
    assert process.returncode == 0
    assert kills > TRIALS / 20, "or this shows nothing"
    with RecordReader(root / "run.db") as record:
        trials = record.trials(Objective("val_loss", "min"))
        attempts = record.attempts()
    assert sum(trial.twin_of is None for trial in trials) == TRIALS, "the budget, to the trial"
    assert all(trial.state.is_final for trial in trials)
    assert TrialState.LOST not in {trial.state for trial in trials}
    states = Counter(attempt.state for attempt in attempts)
    assert not {"running", "abandoned"} & set(states)
    assert states["crashed"] > 0
    finals = Counter(
        attempt.trial for attempt in attempts if attempt.state not in ("crashed", "lost")
    )
    assert max(finals.values()) == 1, "a trial that has its outcome is never trained again"
    assert max(Counter(attempt.trial for attempt in attempts).values()) <= 2 + 3, (
        "attempts have a cap of their own"
    )
    assert left_behind(str(tmp_path)) == []


def left_behind(mark: str) -> list[psutil.Process]:
    """Processes that were started with this mark in their environment, a moment after the end."""
    deadline = time.monotonic() + 10
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("EVONAS_TEST_MARK") == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.full
def test_a_long_run_takes_little_memory_and_disk(
    tmp_path: Path, stub_runs, record_property
) -> None:
    found = json.loads(stub_runs("size", tmp_path, 10_000, 50).stdout)
    for name, value in found.items():
        record_property(name, value)
    assert found["trials"] >= 10_000
    assert found["memory_growth_mb"] < 50
    assert found["record_mb"] < 100
