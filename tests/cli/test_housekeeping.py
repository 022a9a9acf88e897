"""`evonas rm`, `diff`, `spaces` and `ops`: what they tell, and what they refuse."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from evonas.genome import library
from evonas.runtime.record.layout import Layout, Lock
from evonas.testing import make_run, work
from tests.command import run_evonas


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs `stub` and `other`, of another seed and budget."""
    folder = tmp_path_factory.mktemp("two")
    work(make_run(folder, runs=folder / "runs"))
    work(make_run(folder, "seed=1", "budget.trials=8", "run=other", runs=folder / "runs"))
    return folder


@pytest.fixture
def copied(two: Path, tmp_path: Path) -> Path:
    shutil.copytree(two / "runs", tmp_path / "runs")
    return tmp_path


class Typed(io.StringIO):
    """A terminal at which somebody has typed this."""

    def isatty(self) -> bool:
        return True


def test_rm_deletes_what_evonas_has_made_and_says_how_much(copied: Path) -> None:
    run = copied / "runs" / "stub"
    (run / "notes.txt").write_text("mine")
    files = [path for path in run.rglob("*") if path.is_file() and path.name != "notes.txt"]
    amount = sum(path.stat().st_size for path in files if path.name != "run.lock")
    gone = json.loads(run_evonas("rm", "stub", "--yes", "--json", cwd=copied).stdout)
    assert gone["bytes"] == amount
    assert gone["kept"] == ["notes.txt"]
    assert [path.name for path in run.iterdir()] == ["notes.txt"]
    told = run_evonas("rm", "other", "--yes", cwd=copied)
    assert told.stdout.startswith("Deleted runs/other: ")
    assert not (copied / "runs" / "other").exists()
    assert run_evonas("rm", "other", "--yes", cwd=copied).returncode == 2


def test_rm_keeps_what_others_put_into_its_folders_and_deletes_all_of_its_own(copied: Path) -> None:
    run = copied / "runs" / "stub"
    own = [
        *("evolve.yaml", "given/arrays.json", "given/x.bin", "given/table.parquet"),
        *("fresh/1.npz", "fresh/2.refitted.npz", "weights/00003-refitted.npz", "run.db.v3"),
        *("logs/worker-0.log", "exports/00003.tflite", "exports/00004/variables/a"),
    ]
    others = [
        "data/mine.txt",
        "data/test/a.npy",
        "given/a.csv",
        "logs/b.txt",
        "weights/mine/00001.npz",
    ]
    for name in [*own, *others]:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(name)
    (run / "run.db.v3-of-mine").mkdir()
    gone = json.loads(run_evonas("rm", "stub", "--yes", "--json", cwd=copied).stdout)
    assert gone["kept"] == [*others[:4], "run.db.v3-of-mine", "weights/mine"]
    left = [path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()]
    assert sorted(left) == others
    assert not (run / "fresh").exists()


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_rm_refuses_a_folder_whose_record_is_of_others(
    content: bytes | None, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    (mine / "data").mkdir(parents=True)
    (mine / "data" / "x_train.npy").write_text("precious")
    if content is None:
        with contextlib.closing(sqlite3.connect(mine / "run.db")) as database:
            database.execute("create table mine(a)")
    else:
        (mine / "run.db").write_bytes(content)
    done = run_evonas("rm", str(mine), "--yes", cwd=tmp_path)
    assert done.returncode == 65
    assert "nothing was deleted" in done.stderr
    assert sorted(path.name for path in mine.rglob("*")) == ["data", "run.db", "x_train.npy"]


@pytest.mark.parametrize(("answer", "is_gone"), [("y\n", True), ("n\n", False), ("", False)])
def test_rm_asks(answer: str, is_gone: bool, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Typed(answer))
    done = run_evonas("rm", "stub", cwd=copied)
    assert done.returncode == 0
    assert "Delete the run at runs/stub, " in done.stderr
    assert (copied / "runs" / "stub").exists() != is_gone
    assert ("Nothing was deleted" in done.stdout) != is_gone


def test_rm_refuses_where_nobody_can_answer_and_what_is_in_use(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    done = run_evonas("rm", "stub", cwd=copied)
    assert (done.returncode, "--yes" in done.stderr) == (2, True)
    with Lock(Layout(copied / "runs" / "stub")):
        held = run_evonas("rm", "stub", "--yes", cwd=copied)
    assert held.returncode == 6
    assert "is being worked on" in held.stderr
    assert (copied / "runs" / "stub" / "run.db").exists()


def test_rm_of_a_link_deletes_the_run_and_the_link(copied: Path) -> None:
    (copied / "runs" / "stub").rename(copied / "elsewhere")
    (copied / "runs" / "stub").symlink_to(copied / "elsewhere")
    assert run_evonas("rm", "stub", "--yes", cwd=copied).returncode == 0
    assert not (copied / "elsewhere").exists()
    assert not (copied / "runs" / "stub").is_symlink()


def test_diff_tells_what_differs_in_config_and_result(two: Path) -> None:
    plain = json.loads(run_evonas("diff", "stub", "other", "--json", cwd=two).stdout)
    keys = {one["key"]: (one["first"], one["second"]) for one in plain["config"]}
    assert keys == {"seed": (0, 1), "budget.trials": (12, 8)}
    assert plain["same_data"]
    assert plain["same_space"]
    rows = {one["key"]: (one["first"], one["second"]) for one in plain["result"]}
    shown = json.loads(run_evonas("show", "other", "--json", cwd=two).stdout)
    assert rows["best val_loss"][1] == shown["best_value"]
    assert rows["parameters"][1] == shown["result"]["parameters"]
    told = run_evonas("diff", "stub", "other", cwd=two).stdout
    assert "budget.trials" in told
    assert "not which config is better" in told
    alike = run_evonas("diff", "stub", "stub", cwd=two).stdout
    assert "Their configs are the same" in alike


def test_spaces_tells_of_each_shipped_space(two: Path) -> None:
    rows = json.loads(run_evonas("spaces", "--json").stdout)
    assert [row["space"] for row in rows] == list(library.names("spaces"))
    assert all(row["about"] for row in rows)
    temporal = next(row for row in rows if row["space"] == "temporal")
    assert temporal["suits"] == {"samples": [0, None], "size": [129, None]}
    told = run_evonas("spaces").stdout
    assert "takes it for data of kind sequence with size from 129" in told
    assert temporal["when"] in told


def test_ops_lists_all_and_shows_one() -> None:
    told = run_evonas("ops").stdout
    assert "conv2d(filters, kernel_size, [activation]" in told
    one = run_evonas("ops", "residual").stdout
    assert "filters (must be given)" in one
    assert "stride (default: 1)" in one
    assert "number by which height and width are divided" in one
    wrong = run_evonas("ops", "conv2")
    assert wrong.returncode == 2
    assert "Did you mean" in wrong.stderr


def test_a_second_run_of_one_name_says_so_in_its_title(tmp_path: Path) -> None:
    for _ in range(2):
        root = make_run(tmp_path, "budget.trials=4", runs=tmp_path / "runs")
    assert root.name == "stub-2"
    run = work(root)
    assert (run.name, run.title) == ("stub", "stub-2")
    assert ">stub-2" in (root / "genealogy.svg").read_text()
    assert "Run stub-2: 4 trials" in run_evonas("show", root).stdout
    # Another folder is no further run of this name.
    root.rename(tmp_path / "mine")
    assert run_evonas("show", tmp_path / "mine").stdout.startswith("Run stub: ")
