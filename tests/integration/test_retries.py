"""The ladder of a genome that needs too much memory: the same record with any workers and kills."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evonas.runtime.record.reader import RecordReader
from evonas.testing import make_run

SCRIPT = Path(__file__).with_name("stub_runs.py")
STUB = {"oom": 0.5, "oom_always": 0.3, "diverge": 0.05, "sleep": 0.005, "crash": 0.1}


def script(*arguments: object) -> str:
    environment = {**os.environ, "EVONAS_STUB": json.dumps(STUB)}
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout


def test_one_two_and_eight_workers_climb_the_ladder_alike(tmp_path):
    contents = []
    begun = make_run(tmp_path, "budget.trials=30")
    for workers in (1, 2, 8):
        root = shutil.copytree(begun, tmp_path / str(workers))
        script("work", root, workers)
        with RecordReader(root / "run.db") as record:
            contents.append(record.content())
            marks = [
                attempt.details.accumulation_steps
                for attempt in record.attempts()
                if attempt.number
            ]
    assert contents[0] == contents[1] == contents[2]
    assert sum('"accumulation_steps":2.0' in str(row) for row in contents[0]) > 2
    assert sum("oom_device" in row for row in contents[0]) > 1
    assert 2 in marks


@pytest.mark.full
def test_killed_at_every_failpoint_the_second_try_is_still_the_second(tmp_path):
    root = make_run(tmp_path, "strategy=random", "budget.trials=3")
    report = json.loads(script("points", root, "kill", 1))
    with RecordReader(tmp_path / "scratch" / "run.db") as record:
        assert {2} <= {attempt.details.accumulation_steps for attempt in record.attempts()}
    assert report["points"] > 30
    assert report["killed"] == report["points"]
    assert report["different"] == []
