"""`evonas explain` on recorded runs."""

from __future__ import annotations

import json
from pathlib import Path

from evonas.genome import changes
from evonas.testing import make_run, work
from evonas.testing.stub_worker import Stub
from evonas.view import load
from tests.command import run_evonas


def test_the_json_is_what_the_record_says(tmp_path: Path) -> None:
    root = make_run(tmp_path, "budget.trials=40")
    run = work(root, stub=Stub(diverge=0.0))
    chosen = max(trial.id for trial in run.trials if trial.lineage.parents and trial.fitness)
    found = json.loads(run_evonas("explain", root, chosen, "--json").stdout)
    assert found["trial"] == chosen
    trials = load(root).trials
    for step in found["steps"]:
        trial = trials[step["id"]]
        assert step["operators"] == list(trial.lineage.operators)
        assert step["fitness"] == trial.metrics["val_loss"]
        if step["parent"] is not None:
            parent = trials[step["parent"]]
            assert step["changes"] == list(changes(parent.genome, trial.genome))
            assert step["gain"] == parent.metrics["val_loss"] - trial.metrics["val_loss"]
    assert found["operators"]
    said = run_evonas("explain", root, chosen).stdout
    assert f"How trial {chosen} of" in said
    assert "What the operators have brought" in said


def test_without_a_success_there_is_no_winner(tmp_path: Path) -> None:
    root = make_run(tmp_path)
    done = run_evonas("explain", root)
    assert done.returncode == 2
    assert "has succeeded yet" in done.stderr
    done = run_evonas("explain", root, 99)
    assert done.returncode == 2
    assert "no trial 99" in done.stderr
