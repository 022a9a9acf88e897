"""The scripts of examples/: each is run as its reader would, from a folder of their own."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evonas
from tests.slow import few

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py"))
MOST_LINES = 60
SAID = {
    "augmentation": r"trial 5: val_loss \d\.\d{3} with .+\n\(3, 10\)",
    "custom_metric": r"earned -?\d+\.\d\d, accuracy [01]\.\d{3}",
    "custom_training": r"val_loss \d\.\d{3}, trained by easy_first",
    "pretrained_backbone": r"pretrained_backbone:backbone.*\nval_accuracy [01]\.\d{3}",
}
"""What each of them prints at its end."""
FROZEN = """
import sys
import keras, numpy as np
import evonas

def convolution(model):
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            return layer
        if isinstance(layer, keras.Model):
            return convolution(layer)

sys.path.append(sys.argv[1])
trained = convolution(keras.models.load_model("backbone.keras")).get_weights()[0]
run = evonas.load("on-a-backbone")
for trial in run.trials:
    [gene] = trial.genome["backbone"]
    kept = convolution(run.trial(trial.id).model()).get_weights()[0]
    print(not gene.parameters["trainable"], np.array_equal(kept, trained))
"""
"""Tells of each trial whether its backbone was frozen, and whether it has the trained weights."""


def run_python(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_example_is_short_and_in_the_list() -> None:
    assert list(SAID) == SCRIPTS
    listed = re.findall(r"^\| \[([\w.-]+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    spaces = {"augmented.yaml", "backbone.yaml", "README.md"}
    assert set(listed) | spaces == {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    for name in SCRIPTS:
        assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= MOST_LINES, name


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_uses_nothing_private(name: str) -> None:
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [one for one in imported if one.startswith("evonas")] == []


@pytest.mark.parametrize("name", few(SCRIPTS, "custom_metric"))
def test_an_example_works_from_anywhere(name: str, tmp_path: Path) -> None:
    printed = run_python(tmp_path, str(EXAMPLES / f"{name}.py"))

    assert re.search(SAID[name], printed), printed
    [run] = [evonas.load(path.parent) for path in tmp_path.glob("runs/*/run.db")]
    assert run.is_finished
    assert all(trial.metrics for trial in run.trials)
    if name == "pretrained_backbone":
        told = [
            line.split() for line in run_python(tmp_path, "-c", FROZEN, str(EXAMPLES)).split("\n")
        ]
        pairs = [(first, second) for first, second in filter(None, told)]
        # The first weights of a frozen backbone are its last ones; a trained one has left them.
        assert sorted(set(pairs)) == [("False", "False"), ("True", "True")]
