"""A model of the user's is adopted by the command, and a search trains it first."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from keras import layers

import evonas
from tests.command import run_evonas


def saved(folder: Path) -> Path:
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(24, activation="relu"),
            layers.Dense(12, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(folder / "mine.keras")
    return folder / "mine.keras"


@pytest.mark.full
def test_a_search_begins_with_an_adopted_model(tmp_path: Path) -> None:
    file = saved(tmp_path)
    done = run_evonas("adopt", file, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote mine.yaml: a genome of mlp with 2 layer genes, 636 parameters" in done.stdout
    assert "as many as the model" in done.stdout
    again = run_evonas("adopt", file, cwd=tmp_path)
    assert again.returncode == 2
    assert "mine.yaml exists already" in again.stderr
    config = tmp_path / "wine.yaml"
    config.write_text(
        "space: mlp\ndata: {name: wine}\nbudget: {trials: 2}\ntraining: {epochs: 2, patience: 2}\n"
        "strategy: {evolution: {population: 2, replacement: generational,"
        " founders: [./mine.yaml]}}\n"
    )
    root = tmp_path / "runs" / "adopted"
    done = run_evonas("run", config, "--runs", root.parent, "--set", "run=adopted")
    assert done.returncode == 0, done.stderr
    first = next(iter(evonas.load(root).trials))
    units = [gene["units"] for gene in first.genome["layers"]]
    assert (str(first.state), units) == ("ok", [24, 12])
