"""Same seed, same run: for any number of workers, whatever is killed when. With stub workers."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.runs import STOPPING, content, make_run, strategy_changes
from evonas.trial import Attempt
from tests.slow import IS_FULL, few

SCRIPT = Path(__file__).with_name("stub_runs.py")
STUB = {"sleep": 0.01, "crash": 0.05}


def script(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EVONAS_STUB": json.dumps(STUB)}
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=check, env=environment)


def new_run(folder: Path, strategy: str, trials: int, *changes: str) -> Path:
    return make_run(folder, *strategy_changes(strategy), f"budget.trials={trials}", *changes)


def copied(root: Path, name: object) -> Path:
    return shutil.copytree(root, root.parent / str(name))


@pytest.mark.parametrize(
    "strategy",
    few(["evolution", "guided", "hyperband", "aging", "asha", "nsga3"], "guided", "hyperband"),
)
def test_one_two_and_eight_workers_with_random_durations_and_crashes(tmp_path, strategy):
    trials = 40 if IS_FULL else 25
    runs, begun = [], new_run(tmp_path, strategy, trials)
    for workers in (1, 2, 8):
        root = copied(begun, workers)
        script("work", root, workers)
        runs.append(content(root))
    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]) >= trials
    assert len({row[-1] for row in runs[0]}) > 1, (
        "trials must have been asked at different times, or this shows nothing"
    )


@pytest.mark.full
def test_trainings_are_stopped_at_the_same_epoch_by_one_worker_eight_and_one_that_is_killed(
    tmp_path,
):
    runs, begun = [], new_run(tmp_path / "workers", "evolution", 20, *STOPPING)
    for workers in (1, 8):
        root = copied(begun, workers)
        script("work", root, workers)
        runs.append((content(root), stops(root)))
    assert runs[0] == runs[1]
    assert len({epoch for _, epoch in runs[0][1]}) > 1, (
        "some must be stopped at various epochs, or this shows nothing"
    )
    begun = new_run(tmp_path, "evolution", 9, *STOPPING)
    report = json.loads(script("points", begun, "kill", 20).stdout)
    assert report["killed"] == report["points"] > 5
    assert report["different"] == []
    assert stops(tmp_path / "scratch"), "some must be stopped in it, too"


def stops(root: Path) -> list[tuple[int, int]]:
    with RecordReader(root / "run.db") as record:
        found = record.attempts()
    return [
        (attempt.trial, attempt.details.stopped.epoch)
        for attempt in found
        if attempt.details.stopped is not None
    ]


def test_another_seed_is_another_run(tmp_path):
    first = new_run(tmp_path, "evolution", 10)
    second = copied(first, "second")
    script("work", first, 2)
    with Record(second / "run.db") as record:
        record.put_meta("config", {**record.meta("config"), "seed": 1})
    script("work", second, 2)
    assert content(first) != content(second)


@pytest.mark.parametrize(
    ("strategy", "step"),
    [
        ("evolution", 1 if IS_FULL else 8),
        pytest.param("guided", 2, marks=pytest.mark.full),
        pytest.param("hyperband", 2, marks=pytest.mark.full),
        pytest.param("nsga2", 3, marks=pytest.mark.full),
    ],
)
def test_killed_at_every_failpoint_and_again_while_resuming(tmp_path, strategy, step):
    # 7 trials: a whole generation and children of the next; a bracket and more
    root = new_run(tmp_path, strategy, 7)
    report = json.loads(script("points", root, "kill", step).stdout)
    assert report["points"] * step >= 100
    assert report["killed"] == report["points"]
    assert report["killed_twice"] > 20 // step
    assert report["different"] == []
    assert report["most_repeated"] <= 2 * 2, (
        "at most one repeated trial a slot and crash; two slots, two crashes"
    )


@pytest.mark.full
def test_killed_at_random_instants_with_real_processes(tmp_path):
    root = new_run(tmp_path, "evolution", 60)
    reference = copied(root, "reference")
    script("work", reference, 2)
    chance = random.SystemRandom()
    environment = {**os.environ, "EVONAS_STUB": json.dumps(STUB)}
    for _ in range(5):
        seen = len(attempts(root, "running", "abandoned", not_in=True))
        command = [sys.executable, str(SCRIPT), "work", str(root), "4"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            while (
                len(attempts(root, "running", "abandoned", not_in=True)) < seen + 3
                and process.poll() is None
            ):
                time.sleep(0.01)
            running = False
            while not running and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                time.sleep(chance.random() * 0.05)
                # It holds still, so that what is seen here is what the kill strikes.
                process.send_signal(signal.SIGSTOP)
                running = bool(attempts(root, "running"))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, (
                "it must be killed before it ends, or this shows nothing"
            )
    script("work", root, 1)
    assert len(attempts(root, "abandoned")) >= 5
    assert content(root) == content(reference)


def attempts(root: Path, *states: str, not_in: bool = False) -> list[Attempt]:
    with RecordReader(root / "run.db") as record:
        return [attempt for attempt in record.attempts() if (attempt.state in states) != not_in]
