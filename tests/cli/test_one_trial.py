"""`evonas show RUN --trial N`: what came of a trial and of each attempt at it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evonas import view
from evonas.cli import search
from evonas.cli.console import console
from evonas.cli.trial_table import print_trials
from evonas.testing import Stub, make_run, work
from tests.command import run_evonas

CONFIG = """
run: stub
space: ./small.yaml
data: {path: data.npz, task: classification}
budget: {trials: 3}
"""


@pytest.fixture
def run(tmp_path: Path) -> view.Run:
    """All of its trials need too much memory, and each worker crashes once."""
    root = make_run(tmp_path, config=CONFIG)
    return work(root, capacity=1, stub=Stub(oom=1.0, crash=1.0, diverge=0))


def show(run: view.Run, *arguments: str) -> str:
    done = run_evonas("show", run.directory, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_attempt_is_told_with_what_was_done_differently(run: view.Run) -> None:
    lines = show(run, "--trial", "1").splitlines()
    assert lines[0].startswith("Trial 1: ok, generation 0, sample")
    first, second, third = (line for line in lines if "attempt" in line)
    cut = "half the batch and two gradient accumulation steps"
    assert "attempt 0, session 1: crashed: " in first
    assert "oom_device, alone on the device: " in second
    assert "ok after" in third
    assert [cut in line for line in (first, second, third)] == [False, False, True]
    assert sum(cut in line for line in lines) == 2


def test_the_table_of_trials_and_the_winner_say_it_too(
    run: view.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    # a stub does not tell these
    unknown = {"layers": [], "parameters": 1, "flops": 1}
    run.result = {**(run.result or {}), **unknown}
    search.conclude(run)
    assert (
        "trained with half the batch and two gradient accumulation steps" in capsys.readouterr().out
    )
    print_trials(run, console())
    assert capsys.readouterr().out.count("ok, cut batches") == 3


def test_json_has_the_mark_in_metrics_and_in_the_attempt(run: view.Run) -> None:
    data = json.loads(show(run, "--trial", "1", "--json"))
    assert data["metrics"]["accumulation_steps"] == 2.0
    assert [attempt["state"] for attempt in data["attempts"]] == ["crashed", "oom_device", "ok"]
    assert data["attempts"][2]["details"]["accumulation_steps"] == 2
    assert run.result is not None
    assert run.result["accumulation_steps"] == 2


def test_a_stopped_training_is_told_with_what_was_predicted(tmp_path: Path) -> None:
    stop = "training.stop={learning_curve: {after: 0.3, margin: 0}}"
    root = make_run(tmp_path, stop, "training.epochs=12", "budget.trials=16", "strategy=random")
    run = work(root)
    found = [
        trial
        for trial in run.trials
        for attempt in run.trial(trial.id).attempts()
        if attempt.details.stopped is not None
    ]
    assert found, "some must have been stopped, or this shows nothing"
    told = json.loads(show(run, "--trial", str(found[0].id), "--json"))["attempts"][0]["details"][
        "stopped"
    ]
    why = f"at best {told['at_best']:.4f} was predicted, the incumbent had {told['incumbent']:.4f}"
    assert f"stopped at epoch {told['epoch']} of 12: {why}" in show(
        run, "--trial", str(found[0].id)
    )


def test_a_trial_that_is_not_there_is_refused(run: view.Run) -> None:
    done = run_evonas("show", run.directory, "--trial", "9")
    assert done.returncode == 2
    assert "there is no trial 9" in done.stderr
