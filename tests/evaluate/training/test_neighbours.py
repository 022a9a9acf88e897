"""The neighbours: scikit-learn's models on stored samples of every kind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evonas.cli.neighbours import residuals_in_words
from evonas.evaluate.training import neighbour_program, neighbours
from evonas.evaluate.training.errors import errors_of
from evonas.evaluate.training.neighbour_program import LINEAR, REQUEST, TREES, main
from evonas.evaluate.training.parts import Part
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4)).astype(np.float32)
CLASSES = (X[:, 0] + X[:, 1] > 0).astype(np.int64)


def request(folder: Path, x: Any, y: Any, test: Any, **more: Any) -> dict[str, Any]:
    """A request for arrays that are written into the folder."""
    for name, array in (("x", x), ("y", y), ("test", test)):
        np.save(folder / f"{name}.npy", array)
    return {
        "x": str(folder / "x.npy"),
        "y": str(folder / "y.npy"),
        "weights": None,
        "parts": {"test": str(folder / "test.npy")},
        "seed": 0,
        "task": "classification",
        "are_quantities": False,
        "outputs": 2,
        "columns": int(np.shape(x)[1]),
        "codes": {},
        "words": 0,
        **more,
    }


def answers(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    (folder / REQUEST).write_text(json.dumps(asked))
    main(folder)
    found = {}
    for path in folder.glob("*.npz"):
        with np.load(path) as archive:
            found[path.stem] = archive["test"]
    return found


def test_they_are_scikit_learns_with_its_defaults(tmp_path):
    found = answers(tmp_path, request(tmp_path, X, CLASSES, X[:10]))
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, CLASSES)
    np.testing.assert_allclose(found[LINEAR], linear.predict_proba(X[:10]), atol=1e-6)
    trees = HistGradientBoostingClassifier(random_state=0).fit(X, CLASSES)
    np.testing.assert_allclose(found[TREES], trees.predict_proba(X[:10]))
    told = json.loads((tmp_path / f"{LINEAR}.json").read_text())
    assert told["samples"] == 80
    assert told["seconds"] > 0
    assert told["latency_ms"] > 0


def test_a_class_that_the_training_part_lacks_has_a_column_of_zeros(tmp_path):
    found = answers(tmp_path, request(tmp_path, X, CLASSES * 2, X[:5], outputs=3))
    for name in (LINEAR, TREES):
        assert found[name].shape == (5, 3)
        assert (found[name][:, 1] == 0).all()
        np.testing.assert_allclose(found[name].sum(1), 1.0)


def test_gaps_codes_and_unknown_words_are_taken(tmp_path):
    """Column 0 decides, and its code says nothing as a quantity: 2 and 4 are one class."""
    codes = np.tile([2.0, 3.0, 4.0, 3.0], 30)
    x = np.stack([codes, RNG.normal(size=120)], axis=1).astype(np.float32)
    y = (codes == 3).astype(np.int64)
    x[5, 1] = np.nan
    test = np.array([[2, 0], [3, np.nan], [4, 0], [1, 0]], np.float32)
    asked = request(tmp_path, x, y, test, codes={"0": 5})
    found = answers(tmp_path, asked)
    for name in (LINEAR, TREES):
        assert found[name][:3].argmax(1).tolist() == [0, 1, 0]
        assert np.isfinite(found[name]).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of a mean without values
def test_a_column_without_values_is_taken(tmp_path):
    """The last steps of padded sequences: test data may have longer ones than the training part."""
    x = np.concatenate([X, np.full((80, 1), np.nan, np.float32)], axis=1)
    longer = np.nan_to_num(x, nan=3.0)
    found = answers(tmp_path, request(tmp_path, x, CLASSES, longer))
    assert list(tmp_path.glob("*.txt")) == []
    for name in (LINEAR, TREES):
        assert (found[name].argmax(1) == CLASSES).mean() > 0.9


def test_words_are_counted_and_trees_are_left_out(tmp_path):
    x = np.array([[2, 3, 0], [2, 2, 0], [4, 5, 5], [5, 4, 0]] * 10, np.int32)
    y = np.array([0, 0, 1, 1] * 10)
    test = np.array([[3, 2, 0], [5, 0, 0]], np.int32)
    found = answers(tmp_path, request(tmp_path, x, y, test, words=6))
    assert list(found) == [LINEAR]
    assert found[LINEAR].argmax(1).tolist() == [0, 1]


def test_quantities_labels_and_weights(tmp_path):
    y = np.stack([X[:, 0], 2 * X[:, 1]], axis=1)
    asked = request(tmp_path, X, y, X[:7], task="regression", are_quantities=True)
    found = answers(tmp_path, asked)
    expected = make_pipeline(StandardScaler(), Ridge()).fit(X, y).predict(X[:7])
    np.testing.assert_allclose(found[LINEAR], expected, atol=1e-5)
    assert found[TREES].shape == (7, 2)

    labels = np.stack([CLASSES, 1 - CLASSES, np.zeros(80, int)], axis=1)
    (tmp_path / "labels").mkdir()
    asked = request(tmp_path / "labels", X, labels, X, task="multilabel", outputs=3)
    found = answers(tmp_path / "labels", asked)
    # A label that never holds is nothing for a linear model, and the trees go on.
    assert "at least 2 classes" in (tmp_path / "labels" / f"{LINEAR}.txt").read_text()
    assert (found[TREES][:, 2] == 0).all()
    asked = request(tmp_path / "labels", X, labels[:, :2], X, task="multilabel")
    found = answers(tmp_path / "labels", asked)
    for name in (LINEAR, TREES):
        assert np.mean((found[name] > 0.5) == (labels[:, :2] > 0.5)) > 0.9

    weighted = tmp_path / "weighted"
    weighted.mkdir()
    counts = np.where(CLASSES == 1, 1.0, 0.001)
    np.save(weighted / "w.npy", counts)
    asked = request(weighted, X, CLASSES, X, weights=str(weighted / "w.npy"))
    found = answers(weighted, asked)
    assert found[LINEAR][:, 1].mean() > 0.8


def test_pictures_are_rows_and_many_values_are_a_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(neighbour_program, "MOST_VALUES", 4 * 50)
    x = X.reshape(80, 2, 2)
    found = answers(tmp_path, request(tmp_path, x, CLASSES, x[:3]))
    assert found[LINEAR].shape == (3, 2)
    assert json.loads((tmp_path / f"{LINEAR}.json").read_text())["samples"] == 50


def test_the_time_is_limited(tmp_path, monkeypatch):
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(neighbour_program, "__file__", str(slow))
    assert neighbours._run(tmp_path, 0.2) == "it was not fitted within 0.2 seconds"
    slow.write_text("raise ValueError('made up')")
    assert neighbours._run(tmp_path, 60) == "ValueError: made up"


def interface(task: str, classes: tuple[Any, ...], outputs: int = 1) -> Interface:
    spec = InputSpec("vector", (4,))
    many = (0.0,) * outputs if outputs > 1 else 0.0
    ones = (1.0,) * outputs if outputs > 1 else 1.0
    return Interface(spec, task, classes, many, ones)


def part(y: Any, predictions: Any) -> Part:
    return Part(X, np.asarray(y), None, np.asarray(predictions, dtype=np.float32))


def test_confusions_and_recalls_by_hand():
    y = [0, 0, 1, 1, 1]
    answers = np.eye(3)[[0, 2, 1, 1, 0]]
    found = errors_of(interface("classification", ("a", "b", "c")), part(y, answers))
    assert found["confusion"] == [[1, 0, 1], [1, 2, 0], [0, 0, 0]]
    assert found["recall"] == [0.5, pytest.approx(2 / 3), None]
    assert found["support"] == [2, 3, 0]


def test_labels_and_residuals_by_hand():
    y = [[1, 0], [1, 1], [0, 1]]
    found = errors_of(interface("multilabel", ("a", "b")), part(y, [[0.9, 0], [0.1, 0.8], [0, 1]]))
    assert found == {"recall": [0.5, 1.0], "support": [2, 2]}
    found = errors_of(interface("regression", ()), part([1.0, 2.0, 3.0], [[2.0], [2.0], [2.0]]))
    (residuals,) = found["residuals"].values()
    assert (residuals["0"], residuals["0.5"], residuals["1"]) == (-1.0, 0.0, 1.0)


def test_predictions_without_numbers_are_counted():
    """A card with an infinity is no JSON: the conclusion of the run would fail."""
    one = part([1.0, 2.0, 3.0], [[np.inf], [2.5], [np.nan]])
    found = errors_of(interface("regression", ()), one)
    (residuals,) = found["residuals"].values()
    assert residuals["0.5"] == 0.5
    assert residuals["not_finite"] == 2
    json.dumps(found, allow_nan=False)
    assert residuals_in_words("", residuals).endswith("2 predictions are not finite  (test)")
    found = errors_of(interface("regression", ()), part([1.0], [[np.inf]]))
    (residuals,) = found["residuals"].values()
    assert residuals == {"not_finite": 1}
    said = residuals_in_words(" of heat", residuals)
    assert said == "prediction minus target of heat: 1 prediction is not finite  (test)"


def test_the_program_needs_nothing_of_evonas():
    text = Path(neighbour_program.__file__).read_text()
    assert not re.search(r"^\s*(from|import) evonas", text, re.MULTILINE)
