"""Pictures of different sizes: from a folder to the model that takes raw ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from evonas.testing.runs import write_config
from tests.command import run_evonas

CONFIG = """
space: convnet
data: {path: shapes, size: [16, 16]}
strategy: random
training: {epochs: 1}
budget: {trials: 1}
pool: {local: {workers: 1, devices: cpu}}
"""


def made(folder: Path) -> None:
    """Bright squares and stripes, 40 each, of sizes from 12 to 40 pixels."""
    rng = np.random.default_rng(0)
    for name in ("square", "stripes"):
        (folder / name).mkdir(parents=True)
        for number in range(40):
            height, width = (int(size) for size in rng.integers(12, 40, 2))
            pixels = rng.integers(0, 80, (height, width, 3)).astype(np.uint8)
            if name == "square":
                pixels[height // 4 : -height // 4, width // 4 : -width // 4] += 150
            else:
                pixels[::4] += 150
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.mark.full
def test_the_best_model_takes_raw_pixels_of_any_size(tmp_path: Path) -> None:
    config = write_config(tmp_path, config=CONFIG)
    made(config.parent / "shapes")
    root = tmp_path / "runs" / "shapes"
    done = run_evonas("run", config, "--runs", root.parent, "--set", "run=shapes")
    assert done.returncode == 0, done.stderr
    assert "80 pictures in 2 classes (square 40 and stripes 40)" in done.stderr
    assert "pictures are resized to 16 x 16 pixels" in done.stderr
    card = json.loads((root / "best.json").read_text())
    assert card["reload_difference"] <= 1e-6

    model: Any = keras.models.load_model(root / "best.keras", safe_mode=True)
    assert model.input_shape == (None, None, None, 3)
    for size in ((12, 30), (100, 7)):
        answers = model.predict(np.zeros((1, *size, 3), np.float32), verbose=0)
        assert answers.shape == (1, 2)
