"""The ensemble beside a winner: real trainings, plain Keras, planted faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas import lifecycle, view
from evonas.cli.ensemble import gain_in_words
from evonas.evaluate.training.checkpoint import load_weights, save_weights
from evonas.export.ensemble import ENSEMBLE, ENSEMBLE_CARD
from evonas.files import sha256_of
from evonas.learning.gain import Gain
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.jobs import weights_path
from evonas.runtime.openings import openings
from evonas.runtime.record.reader import RecordReader
from evonas.trial import rank
from tests.command import run_evonas

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""

SPACE = """
space: small
input: vector
network:
  layers: {length: 1, ops: {dense: {units: {int: [2, 40]}, activation: tanh}}}
settings:
  optimizer: {ops: {adam: {learning_rate: {float: [1e-3, 1e-1], log: true}}}}
  training: {ops: {training: {batch_size: 16}}}
"""

CONFIG = """
space: ./small.yaml
data: {path: data.npz, split_seed: 3}
training: {epochs: 4}
budget: {trials: 6}
strategy: random
pool: inline
"""


def make(folder: Path, *overrides: str, classes: int = 3) -> Path:
    """A new run on noisy classes, or on noisy numbers if there are no classes."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 5)).astype(np.float32)
    signal = x[:, 0] * x[:, 1] + 0.5 * rng.normal(size=240)
    y: Any = np.digitize(signal, [-0.4, 0.4]) if classes else (100 + 20 * signal)
    np.savez(folder / "data.npz", x=x, y=y)
    (folder / "small.yaml").write_text(SPACE)
    (folder / "config.yaml").write_text(CONFIG)
    root, _ = lifecycle.create(load_config(folder / "config.yaml", overrides), folder / "runs")
    return root


def card_of(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "best.json").read_text())
    return found


@pytest.mark.parametrize(
    ("overrides", "classes"),
    [((), 3), (("data.folds=3", "budget.trials=4"), 3), ((), 0)],
    ids=["classes", "folds", "numbers"],
)
def test_plain_keras_gets_the_mean_of_the_members(tmp_path, overrides, classes):
    import keras

    root = make(tmp_path / "run", *overrides, classes=classes)
    run = lifecycle.work(root)
    told = card_of(root)["ensemble"]
    assert "left_out" not in told, told
    ranked = sorted((one for one in run.trials if one.fitness is not None), key=rank)
    assert told["candidates"] == [one.id for one in ranked][: len(told["candidates"])]
    assert sum(one["share"] for one in told["members"]) == pytest.approx(1.0)
    x = np.load(root / "data" / "test" / "x.npy")
    y = np.load(root / "data" / "test" / "y.npy")
    model = keras.models.load_model(root / ENSEMBLE)
    answers = model.predict(x, verbose=0)
    # By hand: the recorded weights, in networks that evonas has not put together.
    layers = {layer.name: layer for layer in model.layers}
    by_hand, number = 0.0, 0
    for one in told["members"]:
        arrays = load_weights(root / weights_path(one["trial"]))
        size = len(arrays) // one["networks"]
        for fold in range(one["networks"]):
            member = layers[f"member_{number}"]
            member.set_weights(arrays[fold * size : (fold + 1) * size])
            by_hand = by_hand + member.predict(x, verbose=0) * one["share"] / one["networks"]
            number += 1
    np.testing.assert_allclose(answers, by_hand, rtol=1e-5, atol=1e-6)
    scored = model.evaluate(x, y, verbose=0, return_dict=True)
    if classes:
        assert told["metrics"]["test_accuracy"] == pytest.approx(scored["accuracy"])
        assert np.mean(answers.argmax(1) == y) == pytest.approx(scored["accuracy"])
    else:
        assert told["metrics"]["test_loss"] == pytest.approx(np.mean((answers[:, 0] - y) ** 2))
    assert model.count_params() >= told["parameters"]
    # Both models were scored in one opening.
    with RecordReader(root / "run.db") as record:
        assert len(openings(record.events())) == 1
        files = record.files()
    for name in (ENSEMBLE, ENSEMBLE_CARD):
        assert files[name] == sha256_of(root / name)
    card = json.loads((root / ENSEMBLE_CARD).read_text())
    assert card["sha256"] == files[ENSEMBLE]
    assert card["members"] == told["members"]


def test_it_is_at_least_as_good_as_the_winner_on_what_has_chosen_it(tmp_path):
    root = make(tmp_path / "run")
    run = lifecycle.work(root)
    told = card_of(root)["ensemble"]
    assert run.best is not None
    assert told["metrics"]["val_loss"] <= run.best.metrics["val_loss"]


def test_show_and_predict_know_it(tmp_path):
    root = make(tmp_path / "run")
    lifecycle.work(root)
    said = " ".join(run_evonas("show", root).stdout.split())
    told = card_of(root)["ensemble"]
    assert f"chosen by val_loss; {told['parameters']:,} parameters" in said
    assert "noise of these test samples" in said
    assert str(root / ENSEMBLE) in said
    x = np.load(root / "data" / "test" / "x.npy")
    np.savez(tmp_path / "new.npz", x=x[:4])
    done = run_evonas("predict", root / ENSEMBLE, "--data", tmp_path / "new.npz")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5


def test_the_neighbours_stand_beside_the_winner(tmp_path):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    root = make(tmp_path / "run")
    lifecycle.work(root)
    card = card_of(root)
    x, y = (np.load(root / "data" / f"{name}_train.npy") for name in "xy")
    x_test, y_test = (np.load(root / "data" / "test" / f"{name}.npy") for name in "xy")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
    found = card["neighbours"]
    assert found["linear"]["metrics"]["test_accuracy"] == model.score(x_test, y_test)
    gain = found["linear"]["gain"]["accuracy"]
    by_hand = model.score(x_test, y_test) - card["metrics"]["test_accuracy"]
    assert gain["difference"] == pytest.approx(by_hand)
    assert gain["low"] <= by_hand <= gain["high"]
    assert sum(map(sum, card["errors"]["confusion"])) == len(y_test)
    said = " ".join(run_evonas("show", root).stdout.split())
    assert "trees validation loss" in said
    assert "these test samples" in said
    assert "recall of each: " in said
    exported = json.loads(json.dumps(view.load(root).export(tmp_path / "best.keras")))
    for name in ("neighbours", "errors"):
        assert exported[name] == card[name]
    # Of another trial nothing was tested.
    other = next(one for one in view.load(root).trials if one.id != card["trial"])
    told = view.load(root).export(tmp_path / "other.keras", other.id)
    assert "neighbours" not in told


def test_without_neighbours_there_are_none(tmp_path):
    root = make(tmp_path / "run", "neighbours=null")
    lifecycle.work(root)
    card = card_of(root)
    assert "neighbours" not in card
    # Where the winner errs costs nothing, and is told all the same.
    assert sum(card["errors"]["support"]) > 0


def test_a_greater_budget_chooses_again_and_a_whole_end_is_kept(tmp_path):
    root = make(tmp_path / "run")
    lifecycle.work(root)
    first = card_of(root)["ensemble"]["candidates"]
    before = (root / ENSEMBLE).stat().st_mtime_ns
    lifecycle.work(root)
    assert (root / ENSEMBLE).stat().st_mtime_ns == before
    lifecycle.work(root, overrides=["budget.trials=16"])
    after = card_of(root)["ensemble"]["candidates"]
    assert after != first
    # What was lost is made again.
    (root / ENSEMBLE).write_bytes(b"damaged")
    lifecycle.work(root)
    assert sha256_of(root / ENSEMBLE) == json.loads((root / ENSEMBLE_CARD).read_text())["sha256"]
    # Without one, the old files go.
    lifecycle.work(root, overrides=["ensemble=null", "budget.trials=17"])
    assert "ensemble" not in card_of(root)
    assert not (root / ENSEMBLE).exists()
    assert "ensemble" not in view.load(root).artefacts
    assert view.load(root).is_finished


def test_a_run_with_one_network_says_why_it_has_none(tmp_path):
    root = make(tmp_path / "run", "budget.trials=1")
    lifecycle.work(root)
    told = card_of(root)["ensemble"]
    assert told["left_out"].startswith("no mean of several networks is better")
    said = " ".join(run_evonas("show", root).stdout.split())
    assert f"ensemble none: {told['left_out']}" in said


def test_a_limit_of_parameters_is_kept(tmp_path):
    root = make(tmp_path / "run", "ensemble.parameters=10")
    lifecycle.work(root)
    assert card_of(root)["ensemble"]["left_out"] == (
        "no network fits within its limit of parameters"
    )
    assert not (root / ENSEMBLE).exists()


def test_weights_of_another_trial_are_refused_and_the_winner_is_still_taken_home(tmp_path):
    """The record has the sha256 of each file of weights: another one is no candidate."""
    root = make(tmp_path / "run")
    run = lifecycle.work(root)
    told = card_of(root)["ensemble"]
    victim = next(one for one in told["candidates"] if one != run.best.id)
    path = root / weights_path(victim)
    save_weights(path, [array + 0.5 for array in load_weights(path)])
    (root / ENSEMBLE).unlink()
    lifecycle.work(root)
    again = card_of(root)["ensemble"]
    assert victim not in again["candidates"]
    assert (root / "best.keras").is_file()


def test_a_config_says_what_is_allowed(tmp_path):
    with pytest.raises(Exception, match=r"ensemble\.members"):
        make(tmp_path / "run", "ensemble.members=1")


@pytest.mark.parametrize(
    ("name", "gain", "words"),
    [
        ("loss", Gain(-0.2, -0.3, -0.1), "better, beyond"),
        ("loss", Gain(0.2, 0.1, 0.3), "worse, beyond"),
        ("accuracy", Gain(0.2, 0.1, 0.3), "better, beyond"),
        ("accuracy", Gain(0.2, -0.1, 0.3), "no more than the noise"),
        ("accuracy", Gain(0.0, 0.0, 0.0), "no more than the noise"),
    ],
)
def test_what_a_gain_is_worth(name, gain, words):
    assert words in gain_in_words(name, gain)
