"""A table with words and gaps, from a source of a plugin to the model that takes raw rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import evonas
from evonas.data.prepared import FILES, RAW_FILES
from evonas.data.raw import load
from evonas.evaluate.training.export_job import given_to_keras
from evonas.model.formats.given import to_keras
from evonas.testing.runs import write_config
from tests.command import run_evonas

PLUGIN = '''
from dataclasses import dataclass

import numpy as np

from evonas.sources import Arrays, Frame, Source


@dataclass(frozen=True)
class People(Source):
    """Who buys depends on age, on a colour, and on whether the age is known."""

    def read(self, memory):
        rng = np.random.default_rng(0)
        age = rng.normal(40, 12, 240)
        colour = rng.choice(["red", "green", "", "blue"], 240)
        y = (age > 40) ^ (colour == "red")
        age[::9] = np.nan
        return Arrays("people", Frame({"age": age, "the colour": colour}), y)

    def mark(self):
        return {"people": "1"}
'''
CONFIG = """
space: {space}
plugins: [people]
data: {{source: "people:People"}}
strategy: random
training: {{epochs: 2}}
budget: {{trials: 2}}
pool: {{local: {{workers: 1, devices: cpu}}}}
"""


@pytest.mark.parametrize("space", ["tabular", pytest.param("mlp", marks=pytest.mark.full)])
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_the_best_model_takes_raw_rows(tmp_path: Path, space: str) -> None:
    (tmp_path / "people.py").write_text(PLUGIN)
    config = write_config(tmp_path, config=CONFIG.format(space=space))
    root = tmp_path / "runs" / "people"
    done = run_evonas("run", config, "--runs", root.parent, "--set", "run=people")
    assert done.returncode == 0, done.stderr
    card = json.loads((root / "best.json").read_text())

    model: Any = keras.models.load_model(root / "best.keras", safe_mode=True)
    raw = given_to_keras(load(root / RAW_FILES["test"]))
    assert set(raw) == {"age", "the colour"}
    targets = np.load(root / FILES["test"][1])
    assert len(targets) == len(raw["age"]) == 48
    right = (model.predict(to_keras(raw), verbose=0).argmax(axis=1) == targets).mean()
    assert right == pytest.approx(card["metrics"]["test_accuracy"])
    best = evonas.load(root).best
    assert best is not None
    found = best.model().predict(to_keras(raw), verbose=0)
    np.testing.assert_allclose(found, model.predict(to_keras(raw), verbose=0), atol=1e-6)
    # What the training has never seen gets an answer, too.
    odd = {"age": np.array([np.nan, 1e6]), "the colour": np.array(["violet", ""])}
    assert np.isfinite(model.predict(to_keras(odd), verbose=0)).all()

    served = tmp_path / "served"
    done = run_evonas("export", root, "--format", "saved_model", "--to", served)
    assert done.returncode == 0, done.stderr
    columns = {
        "age": tf.constant(raw["age"][:, None]),
        "the_colour": tf.constant(raw["the colour"][:, None]),
    }
    loaded = tf.saved_model.load(str(served))
    answers = loaded.serve(columns)
    np.testing.assert_allclose(answers, model.predict(to_keras(raw), verbose=0), atol=1e-6)
