"""Every shipped config runs to a model that plain Keras loads and that scores what its card says; made short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

NAMES = (
    "breast-cancer",
    "diabetes",
    "digits-cells",
    "digits-front",
    "digits-recurrent",
)  # digits has a suite of its own
SHORT = ("budget.trials=1", "training.epochs=1", "pool={inline: {}}")
FEW = {"digits-front": ("strategy.nsga2.population=4",)}
TWO = ("strategy.evolution.population=2", "strategy.evolution.replacement={elitist: {elites: 1}}")


def test_no_shipped_config_is_forgotten() -> None:
    shipped = {path.stem for path in (Path(__file__).parents[2] / "configs").glob("*.yaml")}
    assert shipped == {*NAMES, "digits", "compare-digits"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, one after the other in one process, which imports TensorFlow once."""
    directory = tmp_path_factory.mktemp("shipped")
    lines = [
        [
            "run",
            name,
            *(part for change in (*SHORT, *FEW.get(name, TWO)) for part in ("--set", change)),
        ]
        for name in NAMES
    ]
    code = "import sys, json\nfrom evonas.cli.app import app\n"
    code += "for line in json.loads(sys.argv[1]): app(line, standalone_mode=False)\n"
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(lines)],
        cwd=directory,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "runs"


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_config_runs_to_an_exported_model(name: str, runs: Path) -> None:
    root = runs / name
    card = json.loads((root / "best.json").read_text())
    model = keras.models.load_model(root / "best.keras")  # in safe mode, by default
    x, y = (np.load(root / "data" / "test" / f"{part}.npy") for part in ("x", "y"))
    predicted = model.predict(x, verbose=0).astype(np.float64)
    if card["classes"]:
        assert (predicted.argmax(axis=1) == y).mean() == pytest.approx(
            card["metrics"]["test_accuracy"]
        )
    else:
        error = predicted[:, 0] - y
        assert np.square(error).mean() == pytest.approx(card["metrics"]["test_loss"], rel=1e-6)
