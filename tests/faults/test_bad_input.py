"""Bad input is refused before any training, with a message that helps; odd paths work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command import run_evonas

SPACE = """
space: small
input: vector
network:
  layers: {length: [1, 2], ops: {dense: {units: {choice: [4, 8]}, activation: relu}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.01}}}
  training: {ops: {training: {batch_size: 16}}}
"""
SEED = "space: small\nlayers: [dense: {units: 4}]\noptimizer: [adam]\ntraining: [training]\n"
CONFIG = """
run: bad
space: ./small.yaml
data: {path: data.npz}
strategy: {evolution: {population: 2, seeds: [./seed.yaml], replacement: {elitist: {elites: 1}}}}
training: {epochs: 1}
budget: {trials: 2}
pool: {local: {workers: 1, devices: cpu}}
"""
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(60, 4)), np.arange(60) % 3


def write(folder: Path, **changes: Any) -> Path:
    """A config that is fine, with its space, seed genome and data, but for the changes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.yaml").write_text(changes.get("space", SPACE))
    (folder / "seed.yaml").write_text(changes.get("seed", SEED))
    (folder / "bad.yaml").write_text(changes.get("config", CONFIG))
    if "data" in changes:
        (folder / "data.npz").write_bytes(changes["data"])
    else:
        np.savez(folder / "data.npz", **{"x": X, "y": Y, **changes.get("arrays", {})})
    return folder / "bad.yaml"


def one(value: object, at: tuple[int, ...] = (7, 2), source: Any = X) -> Any:
    """The samples, or other arrays, with one value that is another."""
    array = source.copy()
    array[at] = value
    return array


ARRAYS = {
    "NaN": ({"x": one(np.nan)}, ("nan at x[7, 2]", "finite")),
    "infinite": ({"x": one(-np.inf)}, ("-inf at x[7, 2]", "finite")),
    "beyond 32 bits": ({"x": one(1e39)}, ("x[7, 2]", "32-bit", "1e+39")),
    "its square is beyond 32 bits": ({"x": one(1e37)}, ("x[7, 2]", "squares", "1e+37")),
    "an integer as large": ({"x": one(2**62, source=X.astype(np.int64))}, ("x[7, 2]", "squares")),
    "quantities as large": (
        {"y": one(1e30, (3,), rng.normal(size=60))},
        ("y[3]", "squares", "1e+30"),
    ),
    "NaN among the quantities": ({"y": one(np.nan, (3,), rng.normal(size=60))}, ("nan at y[3]",)),
    "NaN among the labels": ({"y": one(np.nan, (3,), Y.astype(float))}, ("nan at y[3]",)),
    "one class": ({"y": np.zeros(60, int)}, ("at least two classes", "only 0")),
    "fewer samples than classes": (
        {"x": X[:9], "y": np.array(list("abcdefghi"))},
        ("too few samples", "'a'"),
    ),
    "one sample of a class": ({"y": one(9, (4,), Y)}, ("class 9", "too few samples", "y[4]")),
    "a label that training lacks": (
        {"x_test": X[:3], "y_test": np.array([0, 1, 5])},
        ("y_test[2]", "5", "0, 1, 2"),
    ),
    "negative test labels": (
        {"x_test": X[:3], "y_test": np.array([0, 1, -1])},
        ("y_test[2]", "-1"),
    ),
    "ragged": (
        {"x": np.array([[1.0], [1.0, 2.0]] * 30, dtype=object)},
        ("Python objects", "Pad rows"),
    ),
    "objects": ({"y": np.array([{"a": 1}] * 60, dtype=object)}, ("y", "Python objects")),
    "complex": ({"x": X + 1j}, ("must hold numbers", "complex")),
    "words as samples": ({"x": X.astype(str)}, ("must hold numbers", "<U")),
    "dates": (
        {"x": np.full((60, 4), np.datetime64("2020-01-01"))},
        ("must hold numbers", "datetime64"),
    ),
    "structured": ({"x": np.zeros(60, dtype=[("a", "f4")])}, ("must hold numbers",)),
    "bytes as labels": ({"y": Y.astype("S2")}, ("numbers or words", "|S2")),
    "empty": ({"x": X[:0], "y": Y[:0]}, ("is empty", "(0, 4)")),
    "no features": ({"x": X[:, :0]}, ("is empty", "(60, 0)")),
    "one number": ({"x": np.float64(1.0)}, ("a sample has", "Received")),
    "too many axes": ({"x": rng.normal(size=(60, 2, 2))}, ("1 axis (features)", "(2, 2)")),
    "fewer targets than samples": ({"y": Y[:50]}, ("one target for each sample", "50", "60")),
    "one-hot": ({"y": np.eye(3)[Y]}, ("argmax", "(60, 3)")),
    "constant quantities": ({"y": np.full(60, 0.5)}, ("targets that differ", "0.5")),
    "test set without targets": ({"x_test": X[:3]}, ("y_test", "missing")),
    "test samples of another shape": (
        {"x_test": X[:3, :2], "y_test": Y[:3]},
        ("x_test", "(4,)", "(2,)"),
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_are_refused(tmp_path: Path, case: str) -> None:
    arrays, words = ARRAYS[case]
    config = write(tmp_path, arrays=arrays)
    refused(config, tmp_path, *words, "data.npz")


def refused(config: Path, folder: Path, *words: str) -> None:
    """By `run`, which leaves nothing behind, and by `check`, in the same words."""
    # Some words list the folder: both commands shall find the same in it.
    (folder / "runs").mkdir(exist_ok=True)
    done = run_evonas("run", config, "--runs", folder / "runs")
    said = done.stderr
    assert done.returncode == 2, said
    # The folder is named after the test, whose name may hold any of the words.
    told = said.replace(str(folder), "")
    for word in words:
        assert word in told
    assert "Traceback" not in said
    assert not any(path.is_dir() for path in (folder / "runs").glob("*"))
    said = "\n".join(line for line in said.splitlines() if "note: " not in line) + "\n"
    checked = run_evonas("check", config)
    assert (checked.returncode, checked.stderr) == (2, said)


FILES = {
    "no zip": ({"data": b"hello"}, ("data.npz", "no .npz file", "numpy.savez")),
    "nothing": ({"data": b""}, ("data.npz", "no .npz file")),
    "cut short": ({"data": b"PK\x03\x04" + b"\0" * 40}, ("data.npz", "damaged or cut short")),
    "a config of bytes": ({"config": "a: \x07"}, ("bad.yaml", "not valid YAML")),
    "a config that is a list": ({"config": "- 1"}, ("bad.yaml", "a config is a mapping")),
    "a misspelt key": (
        {"config": CONFIG.replace("budget", "bugdet")},
        ("bugdet", "budget", "bad.yaml:7"),
    ),
    "a word for a number": (
        {"config": CONFIG.replace("trials: 2", "trials: two")},
        ("budget.trials", "two", "whole number"),
    ),
    "no data file": (
        {"config": CONFIG.replace("data.npz", "gone.npz")},
        ("data.path", "no such file", "gone.npz"),
    ),
    "data that are a folder": (
        {"config": CONFIG.replace("data.npz", ".")},
        ("is a folder of nothing that is known", "Allowed: an .npz file"),
    ),
    "a space that is not there": (
        {"config": CONFIG.replace("small.yaml", "gone.yaml")},
        ("gone.yaml", "space"),
    ),
    "a misspelt op": (
        {"space": SPACE.replace("dense", "dens")},
        ("small.yaml", "Did you mean 'dense'"),
    ),
    "a misspelt parameter": ({"space": SPACE.replace("units", "unit")}, ("small.yaml", "units")),
    "a range upside down": ({"space": SPACE.replace("[1, 2]", "[2, 1]")}, ("small.yaml", "length")),
    "an anchor": ({"space": SPACE.replace("relu", "&a relu")}, ("small.yaml:5", "anchors")),
    "a seed of another space": (
        {"seed": SEED.replace("small", "large")},
        ("seed.yaml:1", "small", "large"),
    ),
    "a seed beyond the space": (
        {"seed": SEED.replace("units: 4", "units: 5")},
        ("seed.yaml:2", "units", "5"),
    ),
    "a tag": ({"seed": "a: !!python/object/apply:os.system [ls]"}, ("seed.yaml:1", "tags")),
    "a missing plugin": (
        {"config": CONFIG + "plugins: [gone_plugin]\n"},
        ("bad.yaml", "plugins", "no module gone_plugin"),
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_files_are_refused(tmp_path: Path, case: str) -> None:
    changes, words = FILES[case]
    refused(write(tmp_path, **changes), tmp_path, *words)


@pytest.mark.parametrize("name", ["bad.yaml", "small.yaml", "seed.yaml"])
def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path, name: str) -> None:
    config = write(tmp_path)
    with (tmp_path / name).open("ab") as file:
        file.write(b"\n# caf\xe9\n")
    refused(config, tmp_path, name, "not UTF-8 text")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    changes = {
        "config": CONFIG.replace("trials: 2", "trials: 0"),
        "space": SPACE.replace("units", "unit"),
    }
    refused(write(tmp_path, **changes), tmp_path, "budget.trials", "small.yaml", "units")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "--set"],
        ["walk"],
        ["show", "gone"],
        ["resume", "gone"],
        ["run", "gone.yaml"],
        ["run", "digist"],
    ],
)
def test_a_wrong_command_line_is_a_matter_of_usage(tmp_path: Path, arguments: list[str]) -> None:
    done = run_evonas(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_line_that_is_not_utf_8(tmp_path: Path) -> None:
    """A real process: only its arguments can be bytes."""
    command = Path(sys.executable).with_name("evonas")
    for argument in (b"caf\xe9.yaml", b"caf\xe9"):
        done = subprocess.run([command, "run", argument], capture_output=True, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert b"Traceback" not in done.stderr


def test_odd_paths_work_from_run_to_export(tmp_path: Path) -> None:
    """Config, space, seed, data, runs, export and working directory lie in folders of that name."""
    name = "with space ünïcödé-日本-🙂 %41?x=1#frag'\"&;$(touch x)"
    folder = tmp_path / name
    write(
        folder,
        config=CONFIG.replace("data.npz", json.dumps(f"{name}.npz")).replace(
            "./small.yaml", json.dumps(f"./{name}.yaml")
        ),
    )
    (folder / "data.npz").rename(folder / f"{name}.npz")
    (folder / "small.yaml").rename(folder / f"{name}.yaml")
    runs = f"runs {name}"
    for arguments in (
        ("check", "./bad.yaml"),
        ("run", "./bad.yaml", "--runs", runs),
        ("resume", "bad", "--runs", runs),
        ("show", f"{runs}/bad", "--trials"),
        ("genealogy", f"{runs}/bad"),
        ("list", "--runs", runs),
        ("export", f"{runs}/bad", "--to", f"{name}.keras"),
    ):
        done = run_evonas(*arguments, cwd=folder)
        assert done.returncode == 0, (arguments, done.stderr)
    assert (folder / f"{name}.keras").stat().st_size > 1000
    assert json.loads((folder / f"{name}.json").read_text())["run"] == "bad"
    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert not (folder / "x").exists()
