"""What is lost of a user's data is told by each way in. `~` is written out in every option."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evonas import api, experiments
from evonas.cli import search
from evonas.errors import InvalidConfig
from evonas.runtime.config.config_file import load_config
from evonas.runtime.preparation import prepare_run
from evonas.testing.runs import Notes, make_run, stub_pools, work, write_config
from evonas.testing.stub_worker import Stub
from tests.command import run_evonas

HEALTHY = Stub(diverge=0.0)
TOLD = "x: values of feature 3 (counted from 0) become equal"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose data have an outlier that makes all other values of a feature equal."""
    path = write_config(tmp_path)
    x = np.random.default_rng(0).normal(size=(60, 4))
    x[7, 3] = 1e12
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(60) % 3)
    return path


def test_check_tells(config: Path) -> None:
    done = run_evonas("check", config)
    assert done.returncode == 0
    assert f"note: {TOLD}" in done.stdout
    (warning,) = json.loads(run_evonas("check", config, "--json").stdout)["warnings"]
    assert warning.startswith(TOLD)


def test_run_tells(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What follows is the search itself.
    monkeypatch.setattr(search, "search", lambda *arguments, **settings: None)
    done = run_evonas("run", config, "--runs", config.parent)
    assert f"note: {TOLD}" in done.stderr


def test_python_tells(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Notes()
    # What follows is the search itself.
    monkeypatch.setattr(api, "work", lambda *arguments, **settings: None)
    api.run(config, runs=config.parent, observers=[notes])
    (note,) = notes.texts
    assert note.startswith(TOLD)


def test_compare_tells_once(config: Path) -> None:
    experiment = config.parent / "experiment.yaml"
    experiment.write_text(
        "experiment: e\nconfig: ./stub.yaml\nseeds: [1, 2]\n"
        "strategies: {a: random, b: aging}\nchanges: {budget: {trials: 3}}\n"
    )
    notes = Notes()
    experiments.compare(
        experiment,
        runs=config.parent,
        on_run=lambda *arguments: [notes],
        pool_factory=stub_pools(stub=HEALTHY),
    )
    assert [note.startswith(TOLD) for note in notes.texts] == [True]


def test_an_objective_that_does_not_fit_a_guessed_task_says_that_it_was_guessed(
    tmp_path: Path,
) -> None:
    path = write_config(tmp_path)
    changes = ["data.task=null", "objective=val_mean_absolute_error"]
    with pytest.raises(InvalidConfig) as caught:
        prepare_run(load_config(path, changes), tmp_path / "run")
    wrong, guessed = caught.value.problems
    assert wrong.key == "objective"
    assert guessed.key == "data.task"
    assert "write `task: regression`" in guessed.message


def test_a_home_is_written_out_in_every_option(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    root = work(make_run(tmp_path, "budget.trials=3", runs=runs), stub=HEALTHY).directory
    home = {"HOME": str(tmp_path)}

    def said(*words: str, **more: str) -> str:
        done = run_evonas(*words, **home, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert root.name in said("list", "--runs=~/runs")
    assert root.name in said("list", EVONAS_RUNS="~/runs")
    assert root.name in said("show", f"~/runs/{root.name}")
    said("genealogy", root.name, "--runs=~/runs", "--to=~/tree.svg")
    assert (tmp_path / "tree.svg").is_file()
    said("export", root.name, "--runs=~/runs", "--to=~/model.keras")
    assert (tmp_path / "model.keras").is_file()


def test_a_home_is_written_out_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    root = make_run(tmp_path, "budget.trials=3")
    work(root, stub=HEALTHY)
    run = api.load(f"~/{root.name}")
    assert run.is_finished
    assert api.resume(f"~/{root.name}").is_finished
    run.export("~/model.keras")
    assert (tmp_path / "model.keras").is_file()
