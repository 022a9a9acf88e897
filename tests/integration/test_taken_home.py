"""What others can do with exported models: real trainings, and a process without evonas."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas import lifecycle, view
from evonas.errors import UserError
from evonas.files import sha256_of
from evonas.runtime.config.config_file import load_config

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""

SPACE = """
space: small
input: vector
network:
  layers: {length: 1, ops: {dense: {units: {choice: [3, 4]}, l2: 0.01}}}
settings:
  optimizer:
    ops:
      OPTIMIZER
  training: {ops: {training: {batch_size: 16}}}
"""

CONFIG = """
space: ./small.yaml
data: {path: data.npz, split_seed: 3}
training: {epochs: 3}
budget: {trials: 2}
strategy: random
pool: inline
"""

GUIDE = Path(__file__).parents[2] / "docs" / "export.md"

LABELS = ("plum", "apple", "fig")
"""Not in the order of the model's columns."""

PLAIN = """
import json, sys, warnings
sys.modules["evonas"] = None
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "__array__ implementation")
from pathlib import Path
import keras
import numpy as np
import tensorflow as tf

found = {}
for folder in map(Path, sys.argv[1:]):
    card = json.loads((folder / "best.json").read_text())
    model = keras.models.load_model(folder / "best.keras")
    x = np.load(folder / "data" / "test" / "x.npy")
    y = np.load(folder / "y_test.npy")
    if "searchsorted" in card["compiled"]["y"]:
        y = np.searchsorted(card["classes"], y)
    predictions = model.predict(x, verbose=0)
    folder_served = folder.parent / f"{folder.name}_served"
    if folder_served.is_dir():
        served = tf.saved_model.load(str(folder_served))
        of_served = np.concatenate([served.serve(x[i : i + 32]) for i in range(0, len(x), 32)])
        as_layer = keras.layers.TFSMLayer(folder_served)(x).numpy()
        pairs = [of_served - predictions, as_layer - predictions]
        served_differences = [float(np.abs(pair).max()) for pair in pairs]
    rate = model.optimizer.get_config()["learning_rate"]
    scores = model.evaluate(x, y, verbose=0, return_dict=True)
    history = model.fit(x, y, epochs=2, batch_size=16, verbose=0).history
    found[folder.name] = {
        "optimizer": type(model.optimizer).__name__,
        "rate": rate,
        "scores": scores,
        "losses": history["loss"],
    }
found["served"] = served_differences
print(json.dumps(found))
"""


def finished(folder: Path, name: str, y: np.ndarray[Any, Any], optimizer: str) -> view.Run:
    """A finished run on random samples; its folder also holds the test targets as they were."""
    folder = folder / f"files of {name}"
    folder.mkdir(parents=True)
    x = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    # The test set is given, so that nothing but evonas's own files is needed to find it.
    np.savez(folder / "data.npz", x=x[:90], y=y[:90], x_test=x[90:], y_test=y[90:])
    (folder / "small.yaml").write_text(SPACE.replace("OPTIMIZER", optimizer))
    (folder / "c.yaml").write_text(CONFIG)
    root, _ = lifecycle.create(load_config(folder / "c.yaml", [f"run={name}"]), folder.parent)
    np.save(root / "y_test.npy", y[90:])
    return lifecycle.work(root)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[view.Run]:
    folder = tmp_path_factory.mktemp("taken home")
    rng = np.random.default_rng(1)
    words = np.array(LABELS)[rng.integers(0, 3, 120)]
    targets = rng.normal(500.0, 80.0, 120).astype(np.float32)
    momentum = "momentum: {learning_rate: 0.125, momentum: 0.5, schedule: cosine}"
    return [
        finished(folder, "words", words, momentum),
        finished(folder, "targets", targets, "adamw: {learning_rate: 0.0625}"),
    ]


@pytest.fixture(scope="module")
def served(runs: list[view.Run]) -> dict[str, Any]:
    """The card of a winner that was exported as a folder for TensorFlow, beside its run."""
    run = runs[1]
    target = run.directory.parent / f"{run.name}_served"
    return dict(run.export(target, format="saved_model"))


@pytest.fixture(scope="module")
def plain(runs: list[view.Run], served: dict[str, Any]) -> dict[str, Any]:
    """What a process without evonas does with the exported models."""
    command = [sys.executable, "-c", PLAIN, *(str(run.directory) for run in runs)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def result(run: view.Run) -> dict[str, Any]:
    assert run.result is not None
    return dict(run.result)


def test_evaluate_gives_the_scores_of_the_card_for_labels_that_are_words(
    runs: list[view.Run], plain: dict[str, Any]
) -> None:
    card = result(runs[0])
    scores = plain["words"]["scores"]
    assert card["classes"] == sorted(LABELS)
    assert scores["accuracy"] == pytest.approx(card["metrics"]["test_accuracy"], abs=1e-6)
    loss = scores[card["compiled"]["loss"]]
    assert loss == pytest.approx(card["metrics"]["test_loss"], rel=1e-5)
    assert scores["loss"] > loss + 1e-4, "Keras adds the penalties of the layers"
    assert set(scores) == {"loss", *card["compiled"]["metrics"]}


def test_evaluate_gives_the_scores_of_the_card_in_the_units_of_the_targets(
    runs: list[view.Run], plain: dict[str, Any]
) -> None:
    card = result(runs[1])
    scores = plain["targets"]["scores"]
    metric = card["metrics"]["test_mean_absolute_error"]
    assert scores["mean_absolute_error"] == pytest.approx(metric, rel=1e-5)
    loss = scores[card["compiled"]["loss"]]
    assert loss == pytest.approx(card["metrics"]["test_loss"], rel=1e-5)
    # What was minimised: squares of targets that were divided by their deviation, and penalties.
    assert 0 < scores["loss"] - loss * card["compiled"]["loss_weight"] < 0.5
    assert set(scores) == {"loss", *card["compiled"]["metrics"]}


def test_the_optimizer_is_the_winners_with_its_rate_and_its_schedule(
    plain: dict[str, Any],
) -> None:
    assert plain["words"]["optimizer"] == "SGD"
    schedule = plain["words"]["rate"]
    assert schedule["class_name"] == "CosineDecay"
    assert schedule["module"] == "keras.optimizers.schedules"
    # 72 samples are five batches of 16, and there are three epochs.
    assert schedule["config"]["decay_steps"] == 3 * 5
    assert schedule["config"]["initial_learning_rate"] == 0.125
    assert plain["targets"]["optimizer"] == "AdamW"
    assert plain["targets"]["rate"] == 0.0625


def test_fit_goes_on_where_the_search_ended(plain: dict[str, Any]) -> None:
    """The first loss is near that of the evaluation, not that of a model that was thrown off."""
    for one in (plain["words"], plain["targets"]):
        assert np.isfinite(one["losses"]).all()
        assert one["losses"][0] < 2 * one["scores"]["loss"]


def test_the_model_from_python_is_compiled_too(runs: list[view.Run]) -> None:
    run = runs[1]
    assert run.best is not None
    x = np.load(run.directory / "data" / "test" / "x.npy")
    y = np.load(run.directory / "y_test.npy")
    scores = run.best.model().evaluate(x, y, verbose=0, return_dict=True)
    wanted = result(run)["metrics"]["test_loss"]
    assert scores["mean_squared_error"] == pytest.approx(wanted, rel=1e-5)


def test_the_card_says_how_the_winner_was_trained(runs: list[view.Run]) -> None:
    run = runs[0]
    card = result(run)
    assert run.best is not None
    training = card["training"]
    assert training["optimizer"] == {
        "name": "momentum",
        "learning_rate": 0.125,
        "momentum": 0.5,
        "schedule": "cosine",
    }
    assert training["batch_size"] == 16
    # One prediction for every sample is of no use, and its scores are the scale of the others.
    assert set(card["baseline"]) == set(card["metrics"])
    assert training["epochs"] == training["most_epochs"] == 3
    best = training["best_epoch"]
    assert card["history"]["val_loss"][best - 1] == run.best.metrics["val_loss"]
    assert [len(values) for values in card["history"].values()] == [3, 3, 3]
    assert card["genome"] == run.best.genome.to_dict()
    assert card["digest"] == run.best.genome.digest
    assert card["space"]["name"] == "small"
    assert list(card["strategy"]) == ["random"]
    assert card["data"]["path"].endswith("data.npz")
    assert card["data"]["samples"] == {"train": 72, "validation": 18, "test": 30}
    assert json.loads((run.directory / "best.json").read_text()) == card


def test_a_saved_model_predicts_to_the_last_bit(plain: dict[str, Any]) -> None:
    """By TensorFlow's function and as a layer of Keras, in a process without evonas."""
    assert plain["served"] == [0.0, 0.0]


def test_the_card_of_a_saved_model_names_its_files_and_repeats_the_test(
    runs: list[view.Run], served: dict[str, Any]
) -> None:
    run = runs[1]
    folder = run.directory.parent / f"{run.name}_served"
    assert json.loads(folder.with_name(f"{folder.name}.json").read_text()) == served
    assert (served["format"], served["compiled"]) == ("saved_model", None)
    assert served["reload_difference"] == 0.0
    assert {"saved_model.pb", "variables/variables.index"} <= set(served["files"])
    assert {name: sha256_of(folder / name) for name in served["files"]} == served["files"]
    # As the guide says it: the files, sorted, as `sha256sum` prints them.
    command = re.findall(r"^    cd \S+ && (find .*)$", GUIDE.read_text(), re.MULTILINE)[0]
    summed = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert summed.stdout.split()[0] == served["sha256"]
    # The winner was tested at the end of its run, and is not tested again.
    assert served["metrics"] == result(run)["metrics"]
    assert len(view.load(run.directory).openings) == 1


def test_a_format_of_ones_own_is_one_file(
    runs: list[view.Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's, which the run has never heard of."""
    run = runs[1]
    blocks = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    card = run.export(tmp_path / "own.npz", format="home_formats:Arrays", plugins=["home_formats"])
    assert (card["format"], card["loaded_by"]) == ("home_formats:Arrays", "numpy.load(PATH)")
    assert card["sha256"] == sha256_of(tmp_path / "own.npz")
    assert json.loads((tmp_path / "own.npz.json").read_text()) == card
    with np.load(tmp_path / "own.npz", allow_pickle=False) as found:
        assert found["weight0"].shape


REFUSING = """
from dataclasses import dataclass
from evonas.model import ExportFormat


@dataclass(frozen=True)
class Never(ExportFormat):
    def write(self, model, path):
        path.write_text("half")
        raise NotImplementedError(f"no {len(model.layers)} layers")

    def load(self, path): ...


@dataclass(frozen=True)
class Other(ExportFormat):
    is_loaded_apart = False

    def write(self, model, path):
        path.write_text("all")

    def load(self, path):
        return lambda samples: samples[:, :1] * 0
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "Never",
            r"as refusing:Never: write\(\) .*, line 10: NotImplementedError: no \d layers",
        ),
        ("Other", "as refusing:Other: The saved model predicts something else"),
    ],
)
def test_a_model_that_a_format_cannot_hold_is_refused_and_leaves_nothing(
    runs: list[view.Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    (tmp_path / "refusing.py").write_text(REFUSING)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(UserError, match=words):
        runs[1].export(tmp_path / "x", format=f"refusing:{name}", plugins=["refusing"])
    assert list(tmp_path.glob("x*")) == []
    assert list((runs[1].directory / "exports").iterdir()) == []
