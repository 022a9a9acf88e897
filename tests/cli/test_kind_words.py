"""What a command says where it could have gone wrong for the user in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas import lifecycle
from evonas.cli.compare import _reached
from evonas.cli.run import _tell_of_another
from evonas.runtime import preparation
from evonas.runtime.config import config_file
from evonas.runtime.config_change import CHANGEABLE
from evonas.runtime.record.layout import Layout, Lock
from evonas.testing.runs import make_run
from tests.command import run_evonas

FUNCTION = "def score(genome):\n    return {'score': 1.0}\n"
CONFIG = """
space: space.yaml
evaluator: {python: {function: 'one_score:score'}}
plugins: [one_score]
objective: {name: NAME, direction: min}
strategy: random
budget: {trials: 2}
pool: inline
"""
SPACE = "space: s\nsettings: {a: {ops: {a: {x: {int: [1, 90]}}}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one_score.py").write_text(FUNCTION)
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "flowers.yaml").write_text(CONFIG.replace("NAME", "score"))
    return tmp_path


def test_a_second_run_of_a_name_says_what_became_of_the_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("run", "flowers.yaml")
    first = run_evonas(*words, cwd=folder)
    assert first.returncode == 0
    assert "another run" not in first.stderr
    second = run_evonas(*words, cwd=folder)
    told = "note: runs/flowers exists and is another run; this one is runs/flowers-2."
    assert (
        f"{told} The other is finished, and `evonas run` always begins a new one." in second.stderr
    )
    assert "show runs/flowers\n" in second.stderr
    begun = make_run(folder)
    _tell_of_another(begun, folder / "runs" / "other")
    assert "To continue the other:" in capsys.readouterr().err


def test_a_misspelt_metric_of_a_function_says_where_and_what_was_meant(folder: Path) -> None:
    (folder / "flowers.yaml").write_text(CONFIG.replace("NAME", "scor"))
    done = run_evonas("run", "flowers.yaml", cwd=folder)
    words = "there is no scor among the metrics: score. The config names it under `objective.name`."
    assert f"{words} Did you mean 'score'?" in done.stdout + done.stderr
    assert done.returncode != 0


def stop(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("arguments", "place", "told"),
    [
        (["run"], (config_file, "load_config"), "before the run began: nothing was recorded."),
        (["run"], (lifecycle, "create_run"), "before the run began: nothing was recorded."),
        (["check"], (config_file, "load_config"), "stopped by Ctrl-C. Nothing was recorded."),
        (["check"], (preparation, "prepare_run"), "stopped by Ctrl-C. Nothing was recorded."),
    ],
)
def test_a_ctrl_c_is_told_as_it_is(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    place: tuple[Any, str],
    told: str,
) -> None:
    monkeypatch.setattr(*place, stop)
    done = run_evonas(*arguments, "flowers.yaml", cwd=folder)
    assert done.returncode == 130
    assert told in done.stderr
    assert "same command" not in done.stderr
    assert not (folder / "runs" / "flowers").exists()


def test_a_file_of_another_kind_is_told_with_what_to_do(folder: Path) -> None:
    (folder / "flowers.npz").touch()
    done = run_evonas("run", "flowers.npz", cwd=folder)
    assert "`data: {path: flowers.npz}`" in done.stderr
    (folder / "flowers.csv").touch()
    done = run_evonas("check", "flowers.csv", cwd=folder)
    assert "flowers.csv is data, and a config is a file of YAML that names them" in done.stderr
    assert "init flowers.csv\n" in done.stderr
    done = run_evonas("space", "./flowers.yaml", cwd=folder)
    assert "this is a run's config, not a search space. To run it:" in done.stderr
    (folder / "net.yaml").write_text("space: s\nnetwork: {}\n")
    done = run_evonas("check", "net.yaml", cwd=folder)
    assert "this is a search space, which a config names. To look at it:" in done.stderr
    assert done.returncode == 2


def test_a_run_that_is_held_says_what_to_do(folder: Path) -> None:
    assert run_evonas("run", "flowers.yaml", cwd=folder).returncode == 0
    lock = Lock(Layout(folder / "runs" / "flowers"))
    try:
        more = ("--set", "budget.trials=3")
        done = run_evonas("resume", "runs/flowers", *more, cwd=folder)
    finally:
        lock.release()
    assert done.returncode == 6
    assert "Wait until it ends, or press Ctrl-C there. To look at the run:" in done.stderr
    assert "show runs/flowers\n" in done.stderr


def test_the_help_names_all_that_a_resume_may_change_and_all_first_commands() -> None:
    told = " ".join(run_evonas("resume", "--help", COLUMNS="400").stdout.split())
    for key in (*CHANGEABLE, "evaluator.table.path"):
        assert key in told
    told = run_evonas("--help", COLUMNS="200").stdout
    for words in ("check my.yaml", "run digits", "resume runs/digits", "list  #"):
        assert f" {words}" in told
    told = run_evonas("compare", "--help", COLUMNS="200").stdout
    assert "EXPERIMENT" in told
    assert "compare-digits" in told


def test_samplers_are_compared_on_request_only(folder: Path) -> None:
    words = ("space", "./space.yaml", "--samples", "2")
    assert "Samplers" not in run_evonas(*words, cwd=folder).stdout
    assert "Samplers by the centered" in run_evonas(*words, "--samplers", cwd=folder).stdout
    done = run_evonas("space", "./space.yaml", "--samplers", cwd=folder)
    assert (done.returncode, "add --samples N" in done.stderr) == (2, True)


def test_data_of_another_shape_come_with_the_spaces_that_take_them(folder: Path) -> None:
    x = np.arange(160.0).reshape(40, 4)
    np.savez(folder / "table.npz", x=x, y=np.arange(40) % 2)
    text = "space: convnet\nbudget: {trials: 2}\ndata: {path: table.npz, task: classification}\n"
    (folder / "table.yaml").write_text(text)
    done = run_evonas("check", "table.yaml", cwd=folder)
    assert "For such samples there are `space: mlp`, `space: recurrent`, " in done.stderr
    assert "`space: tabular`" not in done.stderr


def test_a_target_that_a_seed_did_not_reach_is_told_as_that() -> None:
    row = {"seeds": 2, "reached_target": 1, "epochs_to_target": None}
    assert _reached({**row, "epochs_to_target_median": None}, "epochs") == "not reached by 1 of 2"
    row = {"seeds": 3, "reached_target": 2, "epochs_to_target": None}
    assert _reached({**row, "epochs_to_target_median": 40.0}, "epochs") == "median 40 (2 of 3)"
