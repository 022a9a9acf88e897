"""A disk that fails at any write: the run ends with 74 or goes on; a resume finds everything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evonas.testing import content, make_run
from tests.slow import IS_FULL, few


@pytest.mark.parametrize("action", few(["enospc", "eio", "enospc+"], "enospc"))
def test_a_failing_disk_at_every_write(tmp_path: Path, stub_runs, action: str) -> None:
    """`enospc+`: a disk that stays full until the resume; it ends every run.

    A single failure may meet a worker, whose job is tried again. It may also miss, because answers
    come in random order. About a fifth of the failures end the run, which can be asserted only of
    the many in the full form.
    """
    root = make_run(tmp_path, "budget.trials=7")
    report = json.loads(stub_runs("points", root, action, 1 if IS_FULL else 8).stdout)
    assert report["points"] >= (50 if IS_FULL else 6)
    assert set(report["codes"]) <= {"0", "74"}
    assert report["codes"].get("74", 0) >= (report["points"] if action == "enospc+" else IS_FULL)
    assert report["different"] == []


def test_torn_writes(tmp_path: Path, stub_runs) -> None:
    root = make_run(tmp_path, "budget.trials=7")
    report = json.loads(stub_runs("points", root, "torn").stdout)
    assert report["points"] >= 10
    assert report["killed"] >= 1
    assert report["different"] == []


@pytest.mark.full
def test_a_slow_disk_changes_nothing(
    tmp_path: Path, stub_runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Driver and workers stand still at each of their failpoints."""
    contents = []
    begun = make_run(tmp_path, "budget.trials=7")
    for plan in ("0", "1+:delay=0.02"):
        root = shutil.copytree(begun, tmp_path / plan[:1])
        monkeypatch.setenv("EVONAS_FAILPOINT", plan)
        stub_runs("work", root, 2)
        contents.append(content(root))
    assert contents[0] == contents[1]
