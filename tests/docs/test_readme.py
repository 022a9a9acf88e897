"""The README's way from a CSV to a run: its blocks are run as they stand."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

from evonas.runtime.config.config_file import load_config
from evonas.runtime.preparation import prepare_run

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
    assert [name for name, _ in found] == ["flowers.yaml"]
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
