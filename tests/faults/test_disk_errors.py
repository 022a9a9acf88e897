"""A disk that fails at any of its writes: the run ends with 74 or goes on, and a resume finds everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.mark.parametrize("action", ["enospc", "eio", "enospc+"])
def test_a_failing_disk_at_every_write(tmp_path: Path, stub_runs, is_full: bool, action: str) -> None:
    """`enospc+`: a disk that stays full until the resume. Answers come in random order, so an n may miss a write."""
    stub_runs("make", tmp_path, "evolution", 7)
    report = json.loads(stub_runs("points", tmp_path / "stub", action, 1 if is_full else 4).stdout)
    assert report["points"] >= (60 if is_full else 20)
    assert set(report["codes"]) <= {"0", "74"}
    assert report["codes"]["74"] > report["points"] / 2
    assert report["different"] == []


def test_torn_writes(tmp_path: Path, stub_runs) -> None:
    stub_runs("make", tmp_path, "evolution", 7)
    report = json.loads(stub_runs("points", tmp_path / "stub", "torn").stdout)
    assert report["points"] >= 10
    assert report["killed"] >= 1
    assert report["different"] == []


def test_a_slow_disk_changes_nothing(tmp_path: Path, stub_runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Driver and workers stand still at each of their failpoints."""
    contents = set()
    for plan in ("0", "1+:delay=0.02"):
        directory = tmp_path / plan[:1]
        stub_runs("make", directory, "evolution", 7)
        monkeypatch.setenv("EVONAS_FAILPOINT", plan)
        stub_runs("work", directory / "stub", 2)
        contents.add(stub_runs("content", directory / "stub").stdout)
    assert len(contents) == 1
