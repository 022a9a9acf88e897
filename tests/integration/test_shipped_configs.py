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
SHORT = ("budget.trials=2", "training.epochs=1", "pool={inline: {}}")
FEW = {"digits-front": ("strategy.nsga2.population=4",)}
TWO = ("strategy.evolution.population=2", "strategy.evolution.replacement={elitist: {elites: 1}}")


def test_no_shipped_config_is_forgotten() -> None:
    shipped = {path.stem for path in (Path(__file__).parents[2] / "configs").glob("*.yaml")}
    assert shipped == {*NAMES, "digits", "compare-digits"}


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_config_runs_to_an_exported_model(name: str, tmp_path: Path) -> None:
    changes = [part for change in (*SHORT, *FEW.get(name, TWO)) for part in ("--set", change)]
    main = "from evonas.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", main, "run", name, *changes], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    root = tmp_path / "runs" / name
    card = json.loads((root / "best.json").read_text())
    model = keras.models.load_model(root / "best.keras")  # in safe mode, by default
    x, y = (np.load(root / "data" / "test" / f"{part}.npy") for part in ("x", "y"))
    predicted = model.predict(x, verbose=0).astype(np.float64)
    if card["classes"]:
        assert (predicted.argmax(axis=1) == y).mean() == pytest.approx(card["metrics"]["test_accuracy"])
    else:
        error = predicted[:, 0] - y
        assert np.square(error).mean() == pytest.approx(card["metrics"]["test_loss"], rel=1e-6)
