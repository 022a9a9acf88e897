"""Finalists with real trainings: killed in the middle, with one worker and two, the same choice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from evonas import lifecycle, view
from evonas.export.finalists import TRAINED
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import content
from tests.command import run_evonas
from tests.integration.test_ensemble import make

MAIN = "from evonas.cli.app import main; main()"

FINALISTS = ("finalists.count=2", "ensemble=null", "neighbours=null", "budget.trials=3")


def trained(root: Path) -> int:
    """The number of new trainings that the record has."""
    with RecordReader(root / "run.db") as record:
        return sum(kind == TRAINED for _, kind, _ in record.events())


def rows(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((root / "best.json").read_text())["finalists"]
    return found


def test_a_driver_that_is_killed_among_them_goes_on(tmp_path):
    quiet = lifecycle.work(make(tmp_path / "quiet", *FINALISTS)).directory
    pool = "pool={local: {workers: 2, devices: cpu}}"
    killed = make(tmp_path / "killed", *FINALISTS, pool)
    with subprocess.Popen([sys.executable, "-c", MAIN, "resume", str(killed)]) as driver:
        end = time.monotonic() + 300
        while not trained(killed) and driver.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        driver.send_signal(signal.SIGKILL)
    assert driver.returncode == -signal.SIGKILL
    before = trained(killed)
    assert 1 <= before <= 4
    assert not view.load(killed).is_finished
    run = lifecycle.work(killed)
    assert trained(killed) == 4
    assert rows(killed) == rows(quiet)
    assert content(killed) == content(quiet)
    told = rows(killed)
    assert run.best.id == told[0]["trial"] == min(told, key=lambda row: row["value"])["trial"]
    # No new training is the recorded one.
    assert all(row["claimed"] not in row["again"] and len(set(row["again"])) == 2 for row in told)
    shown = run_evonas("show", killed).stdout
    assert f"trial {run.best.id}, chosen from 2 finalists of 3 that succeeded" in shown
    assert "trained again (" in shown
    assert "; chosen" in shown
    assert run_evonas("audit", killed).returncode == 0
