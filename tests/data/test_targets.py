"""Several targets, labels and weights: what is refused, split and stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.prepared import FILES, WEIGHTS, DataSettings, Prepared, prepare
from evonas.data.sources import Npz
from evonas.errors import InvalidData
from evonas.learning.interface import Interface

N = 100
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
TWO = np.stack([X[:, 0] * 3 + 20, X[:, 1] * 1e6], axis=1)
LABELS = (X[:, :3] > 0).astype(int)


def prepared(tmp_path: Path, task: str | None = None, **arrays: Any) -> Prepared:
    np.savez(tmp_path / "data.npz", **{"x": X, **arrays})
    return prepare(DataSettings("vector", Npz(str(tmp_path / "data.npz")), task), tmp_path / "run")


def refused(tmp_path: Path, task: str | None = None, **arrays: Any) -> str:
    with pytest.raises(InvalidData) as caught:
        prepared(tmp_path, task, **arrays)
    assert not (tmp_path / "run").exists()
    return str(caught.value)


def stored(tmp_path: Path, name: str) -> Any:
    return np.load(tmp_path / "run" / name)


def test_each_of_several_targets_has_a_mean_and_a_deviation(tmp_path: Path) -> None:
    found = prepared(tmp_path, y=TWO, target_names=["heat", "cold"])
    assert "regression, because each sample has 2 numbers as targets" in found.guess
    interface = found.interface
    assert interface is not None
    y = stored(tmp_path, FILES["train"][1])
    assert (y.shape, y.dtype) == ((60, 2), np.float64)
    assert interface.target_mean == pytest.approx(tuple(y.mean(axis=0)))
    assert interface.target_scale == pytest.approx(tuple(y.std(axis=0)))
    assert (interface.outputs, interface.output_names) == (2, ("heat", "cold"))
    again = Interface.from_json(json.loads(json.dumps(interface.to_json())))
    assert again == interface


def test_the_interface_of_one_target_is_written_as_ever(tmp_path: Path) -> None:
    interface = prepared(tmp_path, y=TWO[:, :1]).interface
    assert interface is not None
    assert list(interface.to_json()) == ["input", "task", "classes", "target_mean", "target_scale"]
    assert isinstance(interface.target_mean, float)
    assert Interface.from_json(json.loads(json.dumps(interface.to_json()))) == interface


@pytest.mark.parametrize("dtype", [int, bool, np.uint8, np.float32])
def test_rows_of_0_and_1_are_guessed_to_be_labels(tmp_path: Path, dtype: Any) -> None:
    found = prepared(tmp_path, y=LABELS.astype(dtype))
    assert "guess" not in found.guess
    assert "multilabel, because each sample has 3 targets of 0 or 1" in found.guess
    assert "`task: regression`" in found.guess
    interface = found.interface
    assert interface is not None
    assert interface.classes == (0, 1, 2)
    y = stored(tmp_path, FILES["validation"][1])
    assert (y.shape, y.dtype) == ((20, 3), np.int32)


def test_labels_have_the_names_that_the_source_gives(tmp_path: Path) -> None:
    interface = prepared(tmp_path, y=LABELS, target_names=["red", "big", "old"]).interface
    assert interface is not None
    assert interface.classes == ("red", "big", "old")
    assert interface.target_names == ()


def test_frequent_combinations_of_labels_have_the_same_shares_in_all_parts(tmp_path: Path) -> None:
    y = np.repeat([[0, 0], [1, 0], [1, 1]], [50, 30, 20], axis=0)
    prepared(tmp_path, y=y)
    for part, count in (("train", 60), ("validation", 20), ("test", 20)):
        found = stored(tmp_path, FILES[part][1])  # type: ignore[index]
        assert found.sum(axis=0).tolist() == [count / 2, count / 5]


def test_a_label_that_never_holds_is_told(tmp_path: Path) -> None:
    (note,) = prepared(tmp_path, y=LABELS * [1, 0, 1]).notes
    assert note.startswith("y: column 1 (counted from 0) has the same value in all samples")


REFUSED: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "one-hot rows": ({"y": np.eye(4)[np.arange(N) % 4]}, None, "write y.argmax(axis=1)"),
    "and why": ({"y": np.eye(4)[np.arange(N) % 4]}, None, "write `task: multilabel`"),
    "labels for classes": ({"y": LABELS}, "classification", "write `task: multilabel`"),
    "rows of words": ({"y": np.full((N, 2), "a")}, None, "y: must be numbers if a sample has"),
    "targets in one row": (
        {"y": TWO[:, 0][np.newaxis]},
        None,
        "For targets in one row, write y[0]",
    ),
    "three axes": ({"y": np.ones((N, 2, 2))}, None, "y: must have one axis (one target a sample)"),
    "a constant target": ({"y": TWO * [1, 0] + [0, 5]}, None, "Received: only 5.0 in column 1"),
    "a target with NaN": ({"y": TWO * [np.nan, 1]}, None, "nan at y[0, 0]"),
    "targets with an offset": (
        {"y": np.stack([X[:, 0], 1.7e9 + 40 * X[:, 0]], axis=1)},
        None,
        "y: target 1 (counted from 0) differs by less than 32-bit floats can tell",
    ),
    "other targets in y_test": (
        {"y": TWO, "x_test": X, "y_test": TWO[:, 0]},
        None,
        "y_test: must have the columns of y, 2. Received: a single one",
    ),
    "constant labels": ({"y": LABELS * 0}, "multilabel", "the same value in all samples for each"),
    "a third value": ({"y": LABELS * 2}, "multilabel", "rows of 0 and 1"),
    "too few names": ({"y": TWO, "target_names": ["a"]}, None, "target_names: must be a name for"),
    "one name twice": ({"y": TWO, "target_names": ["a", "a"]}, None, "all different"),
    "names that are numbers": ({"y": TWO, "target_names": [1, 2]}, None, "a row of words"),
    "few weights": ({"y": TWO, "sample_weight": np.ones(9)}, None, "one for each sample of x"),
    "words as weights": ({"y": TWO, "sample_weight": np.full(N, "1")}, None, "dtype <U1"),
    "a negative weight": (
        {"y": TWO, "sample_weight": np.r_[1, -2, np.ones(N - 2)]},
        None,
        "at least 0, one for each sample of x. Received: -2.0 at sample_weight[1]",
    ),
    "NaN as a weight": ({"y": TWO, "sample_weight": np.full(N, np.nan)}, None, "must hold finite"),
    "no weight at all": ({"y": TWO, "sample_weight": np.zeros(N)}, None, "not all of them 0"),
    "no weight in a part": (
        {"y": TWO, "sample_weight": np.arange(N) == 5},
        None,
        "part have the weight 0",
    ),
    "a series": ({"x": None, "series": X}, None, "`task: forecasting` and `window`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_with_advice(case: str, tmp_path: Path) -> None:
    arrays, task, words = REFUSED[case]
    given = {key: array for key, array in {"x": X, **arrays}.items() if array is not None}
    np.savez(tmp_path / "data.npz", **given)
    settings = DataSettings("vector", Npz(str(tmp_path / "data.npz")), task)
    with pytest.raises(InvalidData) as caught:
        prepare(settings, tmp_path / "run")
    assert words in str(caught.value)


def test_weights_go_with_their_samples(tmp_path: Path) -> None:
    x = np.arange(N * 4.0).reshape(N, 4)
    found = prepared(tmp_path, x=x, y=TWO, sample_weight=np.arange(N) + 0.5)
    for part, name in WEIGHTS.items():
        weights = stored(tmp_path, name)
        assert weights.dtype == np.float32
        assert weights.tolist() == (stored(tmp_path, FILES[part][0])[:, 0] / 4 + 0.5).tolist()
        assert name in found.files
    without = prepared(tmp_path, x=x, y=TWO)
    assert without.fingerprint != found.fingerprint
    assert not {*WEIGHTS.values()} & {*without.files}


def test_weights_do_not_reach_parts_that_are_given(tmp_path: Path) -> None:
    found = prepared(tmp_path, y=TWO, x_test=X, y_test=TWO, sample_weight=np.ones(N))
    assert found.notes == ("sample_weight: is of x; samples of x_test all count the same.",)
    assert {*WEIGHTS.values()} & {*found.files} == {WEIGHTS["train"], WEIGHTS["validation"]}


def test_names_of_targets_are_words() -> None:
    with pytest.raises(TypeError, match="target_names must be"):
        Arrays("x", X, TWO, target_names=["a", "b"])  # type: ignore[arg-type]
