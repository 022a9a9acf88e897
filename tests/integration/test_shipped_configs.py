"""Every shipped config, made short, gives a model that plain Keras loads and its card describes."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.command import run_evonas
from tests.slow import few

# digits has a suite of its own
NAMES = (
    "breast-cancer",
    "diabetes",
    "digits-cells",
    "digits-front",
    "digits-recurrent",
)
SHORT = ("budget.trials=1", "training.epochs=1", "pool={inline: {}}")
FEW = {"digits-front": ("strategy.nsga2.population=4",)}
TWO = ("strategy.evolution.population=2", "strategy.evolution.replacement={elitist: {elites: 1}}")


def test_no_shipped_config_is_forgotten() -> None:
    shipped = {path.stem for path in (Path(__file__).parents[2] / "configs").glob("*.yaml")}
    page = (Path(__file__).parent / "test_kinds_of_data.py").read_text()
    elsewhere = {name for name in shipped if f'"{name}"' in page}
    assert shipped == {*NAMES, *elsewhere, "digits", "compare-digits"}


@pytest.mark.parametrize("name", few(NAMES, "breast-cancer", "digits-recurrent"))
def test_a_shipped_config_runs_to_an_exported_model(name: str, tmp_path: Path) -> None:
    settings = [part for change in (*SHORT, *FEW.get(name, TWO)) for part in ("--set", change)]
    done = run_evonas("run", name, *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    root = tmp_path / "runs" / name
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
