"""A callback that sets the learning rate, in a space whose optimizers have schedules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evonas.evaluate.local.plugin_check import Plugins
from evonas.evaluate.local.training_check import Tried
from evonas.runtime import plugins
from evonas.runtime.config.config_file import load_config
from evonas.runtime.plugins import failing_recipe
from tests.evaluate.training.networks import TARGETS

SPACE = """
space: rated
input: vector
network: {layers: {ops: {dense: {units: {choice: [2, 4]}}}}}
settings:
  optimizer: {ops: {OPTIMIZERS}}
  training: {ops: {training: {batch_size: 16}}}
"""
CONFIG = """
space: ./rated.yaml
plugins: [mine]
data: {name: wine}
training: {callbacks: ["mine:lower"]}
budget: {trials: 2}
"""
SCHEDULED = "adam: {learning_rate: 0.01, schedule: cosine}"
CHOSEN = "adamw: {learning_rate: 0.01, weight_decay: 0.01, schedule: {choice: [constant, cosine]}}"
WARMED = "adam: {learning_rate: 0.01, warmup: {float: [0.1, 0.2], off: 0.0}}"


@pytest.mark.parametrize(
    ("optimizers", "refused", "told"),
    [
        (SCHEDULED, "has schedules for adam. Allowed: a space with `schedule: constant`", ""),
        (f"{SCHEDULED}, {CHOSEN}", "", "schedules for adam and adamw"),
        (CHOSEN, "", "Networks that have one will fail"),
        (WARMED, "", "schedules for adam"),
        ("adam: {learning_rate: 0.01}", "", ""),
    ],
)
def test_a_callback_that_sets_the_rate_needs_a_rate_without_a_schedule(
    optimizers: str, refused: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tried(*arguments: Any) -> Tried:
        return Tried(rates={"callbacks[0]": "ReduceLROnPlateau"})

    monkeypatch.setattr(plugins, "try_recipe", tried)
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "rated.yaml").write_text(SPACE.replace("OPTIMIZERS", optimizers))
    (tmp_path / "run.yaml").write_text(CONFIG)
    loaded = load_config(tmp_path / "run.yaml")
    issues, notes = failing_recipe(loaded, TARGETS, tmp_path, Plugins())
    assert (len(issues), len(notes)) == (bool(refused), bool(told))
    for issue in issues:
        assert issue.key == "training.callbacks[0]"
        assert "mine:lower makes a ReduceLROnPlateau, and Keras lets no callback" in issue.message
        assert refused in issue.message
    assert all(told in note for note in notes)
