"""The README: its blocks are run as they stand, its commands are commands, and it is short."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

from evonas.cli.app import MODULES
from evonas.runtime.config.config_file import load_config
from evonas.runtime.preparation import prepare_run
from evonas.search.registry import STRATEGIES

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(?:python|yaml)\n# (\w+\.\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The README's config, beside the CSV that it names."""
    monkeypatch.chdir(tmp_path)
    iris = load_iris()
    with Path("flowers.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*iris.feature_names, "species"])
        for measured, number in zip(iris.data, iris.target, strict=True):
            rows.writerow([*measured, iris.target_names[number]])
    found = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert [name for name, _ in found] == ["first.py", "flowers.yaml"]
    for name, text in found:
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path / "flowers.yaml"


def test_the_way_from_a_csv_to_a_run_is_good(config: Path, tmp_path: Path) -> None:
    loaded = load_config(config)
    why, epochs, patience, initial = loaded.warnings
    assert "training.epochs is 49, because there are 150 samples" in epochs
    assert "training.patience is 16, about a third of the epochs" in patience
    assert "initial is 4, because the budget is 30 trials" in initial
    assert "the space is tabular, because the data are 150 rows of 4 named columns" in why
    prepared = prepare_run(loaded, tmp_path / "run").prepared
    assert prepared.interface is not None
    assert prepared.interface.classes == ("setosa", "versicolor", "virginica")
    # Few samples are divided into folds.
    assert prepared.counts == {"train": 120, "test": 30}
    assert any("species" in note for note in prepared.notes)


@pytest.mark.full
def test_the_way_from_a_csv_ends_with_a_model(config: Path) -> None:
    changes = ("--set", "budget.trials=2", "--set", "training.epochs=2")
    # A process of its own: this one must not import Keras.
    evonas = Path(sys.executable).with_name("evonas")
    done = subprocess.run([evonas, "run", config.name, *changes], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path("runs/flowers/best.keras").is_file()
    # What follows in the README, as it stands.
    rows = Path("flowers.csv").read_text().splitlines()
    Path("new.csv").write_text("\n".join(row.rpartition(",")[0] for row in rows[:4]))
    lines = re.findall(r"^evonas ((?:show|predict) .*?) +#", README.read_text(), re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        done = subprocess.run([evonas, *line.split()], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


@pytest.mark.full
def test_the_five_lines_work(config: Path) -> None:
    script = config.with_name("first.py")
    text = script.read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line]) == 5
    # A short budget in place of two minutes.
    script.write_text(text.replace("minutes=2", "trials=1"), encoding="utf-8")
    done = subprocess.run([sys.executable, script.name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Total params" in done.stdout


def test_every_command_is_one_and_the_environment_is_active_before_it() -> None:
    text = README.read_text(encoding="utf-8")
    shell = "\n".join(re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    commands = re.findall(r"^evonas ([a-z]+)", shell, re.MULTILINE)
    assert len(commands) == 5
    assert set(commands) <= {module.NAME for module in MODULES}
    assert shell.index("make setup") < shell.index("source .venv/bin/activate")
    assert shell.index("source .venv/bin/activate") < shell.index("evonas ")
    makefile = README.with_name("Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert set(re.findall(r"make ([a-z][a-z-]*)`", text)) <= targets


def test_its_strategies_are_those_of_the_registry() -> None:
    table = README.read_text(encoding="utf-8").split("## Strategies")[1].split("##")[0]
    named = [name for group in re.findall(r"`[^\]|]+`", table) for name in group.split(", ")]
    assert sorted(name.strip("`") for name in named) == sorted(STRATEGIES)


def test_it_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$|^\|.*?$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert len(prose.split()) <= 700
