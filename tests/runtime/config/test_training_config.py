"""What a config may say of trainings besides their length, and what is said about the rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evonas.errors import InvalidConfig
from evonas.learning.recipe import Recipe
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.pools import make_setup
from evonas.runtime.preparation import prepare_run
from tests.runtime.config.test_run_config import CONFIG, SPACE, loaded, problem

RULES = """
from keras import losses

def own(y_true, y_pred):
    return losses.mean_squared_error(y_true, y_pred)

def wrong(y_true):
    return y_true
"""


def with_training(text: str, rest: str = "") -> str:
    return CONFIG.replace("epochs: 3", f"epochs: 3\n  {text}") + rest


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("loss: hubber", "training.loss", "Did you mean 'huber'?"),
        ("loss: 'a b:c'", "training.loss", 'must be package.module:function. Received: "a b:c"'),
        ("loss: rules:own", "training.loss", "To allow it, write `plugins: [rules]`."),
        ("fit: train", "training.fit", 'must be package.module:function. Received: "train".'),
        ("callbacks: [rules:one]", "training.callbacks[0]", "'rules' is not among the plugins"),
        ("callbacks: rules:one", "training.callbacks", "Perhaps you mean"),
        ("class_weight: balance", "training.class_weight", "must be balanced, or a mapping, each"),
        ("class_weight: {a: 0}", "training.class_weight", "above 0"),
    ],
)
def test_bad_values(tmp_path: Path, text: str, key: str, words: str) -> None:
    (tmp_path / "rules.py").write_text(RULES)
    found = problem(tmp_path, with_training(text))
    assert found.key == key
    assert words in found.message, str(found)
    assert found.line > 0


def test_a_loss_and_weights_must_fit_the_task(tmp_path: Path) -> None:
    text = with_training("loss: huber").replace("digits}", "digits, task: classification}")
    found = problem(tmp_path, text)
    allowed = "sparse_categorical_crossentropy, categorical_focal_crossentropy, or package.module"
    assert f"unknown loss for classification. Allowed: {allowed}" in found.message
    text = with_training("class_weight: balanced").replace("digits}", "digits, task: regression}")
    found = problem(tmp_path, text)
    assert (found.key, "the task is regression" in found.message) == ("training.class_weight", True)


def refusals(tmp_path: Path, config: str, space: str = SPACE) -> dict[str, str]:
    """What the data show to be wrong, by key."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3, 3)), np.arange(40) % 2
    np.savez(tmp_path / "few.npz", x=x, y=y.astype(float) / 2 if "regression" in config else y)
    text = config.replace("name: digits", "path: few.npz")
    with pytest.raises(InvalidConfig) as caught:
        prepare_run(loaded(tmp_path, text, space=space), tmp_path / "run")
    return {issue.key: issue.message for issue in caught.value.problems}


def test_what_only_the_data_show_is_told_before_a_training(tmp_path: Path) -> None:
    found = refusals(tmp_path, with_training("loss: huber"))
    assert "unknown loss for classification" in found["training.loss"]
    found = refusals(tmp_path, with_training("class_weight: {'1': 2.0, '2': 2.0}"))
    assert "Allowed: 0, 1. Received: 2." in found["training.class_weight"]


def test_labels_are_smoothed_only_where_the_loss_can(tmp_path: Path) -> None:
    space = SPACE.replace("[32, 64]}", "[32, 64]}, label_smoothing: {float: [0.1, 0.2], off: 0.0}")
    key = "settings.training.ops.training.label_smoothing"
    regression = CONFIG.replace("digits}", "digits, task: regression}")
    found = refusals(tmp_path, regression, space)
    assert found == {key: "smooths labels, which the loss of a regression cannot. Leave it out."}


@pytest.mark.full
def test_functions_that_cannot_be_called_so_are_told_at_their_keys(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(RULES)
    text = "loss: rules:wrong\n  callbacks: [rules:own]"
    found = refusals(tmp_path, with_training(text, "plugins: [rules]\n"))
    assert "cannot be called with 2 tensors" in found["training.loss"]
    assert "rules:own cannot be called" in found["training.callbacks[0]"]


def test_an_evaluator_besides_keras_has_no_use_for_it(tmp_path: Path) -> None:
    evaluator = "evaluator: {python: {function: 'json:loads'}}\nplugins: [json]"
    text = with_training("loss: huber").replace("data: {name: digits}", evaluator)
    found = problem(tmp_path, text)
    assert (found.key, "is for trainings by Keras" in found.message) == ("training.loss", True)


def test_the_record_keeps_it_and_workers_are_told(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(RULES)
    text = with_training("loss: rules:own\n  class_weight: {'3': 2}", "plugins: [rules]\n")
    one = loaded(tmp_path, text)
    recipe = Recipe("rules:own", {"3": 2.0})
    assert one.config.training.recipe == recipe
    again = RunConfig.from_json(json.loads(json.dumps(one.config.to_json())))
    assert again == one.config
    setup = make_setup(one.config, one.space, None, tmp_path, one.file)
    assert setup.recipe == recipe.to_json()
    plain = loaded(tmp_path)
    assert make_setup(plain.config, plain.space, None, tmp_path, plain.file).recipe == {}
