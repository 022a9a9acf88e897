"""`evonas compare` on real trainings: two schemes that share their founders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import run_evonas

EXPERIMENT = """
experiment: tiny
config: breast-cancer
seeds: [0]
strategies:
  tournament: {evolution: {population: 2, replacement: {elitist: {elites: 1}}}}
  rank: {evolution: {population: 2, selection: rank, replacement: {elitist: {elites: 1}}}}
changes: {budget.trials: 3, training: {epochs: 2}, pool: inline}
reference: rank
fresh: 1
"""


def compare(folder: Path, *arguments: str) -> str:
    done = run_evonas("compare", "./tiny.yaml", *arguments, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.full
def test_an_experiment_on_real_trainings(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(EXPERIMENT)
    told = compare(tmp_path)
    assert "One seed shows nothing about tournament and rank" in told
    assert "comparison.html" in told
    assert "tournament" in (tmp_path / "runs" / "tiny" / "comparison.svg").read_text()
    found = json.loads(compare(tmp_path, "--json"))  # nothing is done again
    rows = {row["strategy"]: row for row in found["strategies"]}
    assert rows["rank"]["reused"] >= 2, "the founders are those of `tournament`"
    assert rows["tournament"]["reused"] == 0
    for row in rows.values():
        assert row["fresh"] is not None
        assert row["test"] > 0
    winner = json.loads((tmp_path / "runs" / "tiny" / "rank-0" / "best.json").read_text())
    assert winner["metrics"]["val_loss"] == pytest.approx(found["finals"]["rank"]["0"], rel=1e-6)
    assert not list((tmp_path / "runs" / "tiny" / "rank-0" / "fresh").glob("*"))
