"""Code of the user's that trains is tried on a few samples before a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evonas.evaluate.local import training_check
from evonas.evaluate.local.training_check import Tried, try_recipe
from evonas.genome import parse_space
from evonas.learning.recipe import Recipe
from evonas.testing.jobs import make_setup
from tests.evaluate.training.networks import TARGETS, rows

SPACE = """
space: tried
input: vector
network: {layers: {ops: {dense: {units: {choice: [2, 4]}}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.01}}}
  training: {ops: {training: {batch_size: 16}}}
"""
MODULE = """
import os
import keras

def fine(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

def misspelt(y_true, y_pred):
    return keras.ops.men(y_true - y_pred)

def callback():
    return keras.callbacks.TerminateOnNaN()

def plateau():
    return keras.callbacks.ReduceLROnPlateau()

def late():
    class Late(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("in the second epoch")
    return Late()

def ends(model, train, validation, epochs, callbacks):
    os._exit(7)
"""


def setup_of(folder: Path, recipe: Recipe) -> Any:
    (folder / "tried_training.py").write_text(MODULE)
    rows().write(folder)
    return make_setup(
        folder,
        space=SPACE,
        interface=TARGETS.to_json(),
        recipe=recipe.to_json(),
        plugins=("tried_training",),
        plugin_folder=str(folder),
    )


def tried(folder: Path, recipe: Recipe) -> Tried:
    space = parse_space(SPACE, "tried.yaml")
    return try_recipe(setup_of(folder, recipe), space, {"tried_training": "sha"})


@pytest.mark.full
def test_each_function_that_fails_has_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = ("tried_training:callback", "tried_training:late")
    found = tried(tmp_path, Recipe("tried_training:misspelt", None, names))
    assert found.rates == {}
    assert found.wrong == {
        "loss": "tried_training:misspelt, tried in a small training: AttributeError: module"
        " 'keras.ops' has no attribute 'men'",
        "callbacks[1]": "tried_training:late, tried in a small training: RuntimeError: in the"
        " second epoch",
    }
    # What was found good is remembered.
    good = Recipe("tried_training:fine", None, (names[0], "tried_training:plateau"))
    rates = {"callbacks[1]": "ReduceLROnPlateau"}
    assert tried(tmp_path, good) == Tried(rates=rates)
    monkeypatch.setattr(training_check, "ask_aside", None)
    assert tried(tmp_path, good) == Tried(rates=rates)


@pytest.mark.full
def test_a_training_that_ends_its_process_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = tried(tmp_path, Recipe(fit="tried_training:ends"))
    assert found.wrong["fit"].startswith(
        "a small training with it ended the process with exit code 7."
    )


def test_without_code_of_the_users_no_process_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_check, "ask_aside", None)
    assert tried(tmp_path, Recipe("huber", "balanced")) == Tried()
