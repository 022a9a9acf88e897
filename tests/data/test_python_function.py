"""A function of the user's gives the data, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evonas.data.raw import Frame, Ragged
from evonas.data.sources.handed import find
from evonas.data.sources.keras_set import KerasSet
from evonas.data.sources.python_child import Unfit, laid
from evonas.data.sources.python_function import PythonFunction
from evonas.errors import InvalidData
from evonas.memory import Memory

X = np.arange(12, dtype=np.float32).reshape(6, 2)
Y = np.arange(6) % 2

SOURCE = """
import os, sys
import numpy as np

X = np.arange(12, dtype=np.float32).reshape(6, 2)

def pair():
    print("reading")
    return X, np.array(["a", "b"] * 3)

def fails():
    return X[9999]

def frame():
    import polars as pl
    day = ["2026-01-%02d" % day for day in range(1, 31)]
    town = ["Rome", None, "Oslo"] * 10
    zips = ["0123"] * 29 + ["?"]
    return pl.DataFrame({"day": day, "town": town, "zip": zips, "kind": [5, 7] * 15})

def leaves():
    print("no memory left")
    os._exit(3)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE)
    return tmp_path


def read(folder: Path, name: str) -> Any:
    return PythonFunction(f"mine:{name}", folder=str(folder)).read_into(folder / "run", Memory())


def test_arrays_come_through_files_that_are_gone(folder: Path) -> None:
    arrays = read(folder, "pair")
    assert np.array_equal(arrays.x, X)
    assert arrays.y.tolist() == ["a", "b"] * 3
    assert not list((folder / "run").iterdir())
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fails", r"mine:fails: has raised IndexError: index 9999 .*mine.py, line 12"),
        ("leaves", r"mine:leaves: ended its process with exit code 3. no memory left"),
        ("pairs", r"mine:pairs: the module mine has no function 'pairs'. Did you mean 'pair'"),
    ],
)
def test_a_function_that_fails_is_told_with_its_line(folder: Path, name: str, words: str) -> None:
    with pytest.raises(InvalidData, match=words):
        read(folder, name)


def test_a_frame_is_read_as_a_table_is(folder: Path) -> None:
    source = PythonFunction("mine:frame", str(folder), "kind", columns={"zip": "category"})
    found = source.read_into(folder / "run", Memory())
    assert isinstance(found.x, Frame)
    assert found.x.columns["day"][:2].tolist() == [20454, 20455]
    assert found.x.columns["town"][:3].tolist() == ["Rome", "", "Oslo"]
    assert found.x.columns["zip"][[0, -1]].tolist() == ["0123", ""]
    assert found.y[:2].tolist() == [5, 7]
    assert found.target_names == ("kind",)
    assert "column town: category, 2 words, 10 gaps; such as Rome, Oslo" in found.notes
    # The same from a file, to the word.
    assert found.schema is not None
    assert [one["kind"] for one in found.schema["features"]] == ["date", "category", "category"]
    mixed = pl.DataFrame({"kind": pl.Series([object(), 1], dtype=pl.Object)})
    with pytest.raises(Unfit, match="gives a frame that cannot be used"):
        given(mixed, folder)


def test_keys_for_frames_have_no_effect_on_arrays(folder: Path) -> None:
    with pytest.raises(InvalidData) as error:
        PythonFunction("mine:pair", str(folder), "kind", group="town").read(Memory())
    told = [(issue.key, issue.message) for issue in error.value.problems]
    assert [key for key, _ in told] == ["data.target", "data.group"]
    assert "Allowed: groups. Received: town." in told[1][1]


def given(found: Any, folder: Path) -> dict[str, Any]:
    """What the driver finds of what a function gives."""
    laid(found, folder)
    return dict(find(folder))


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ((X, Y), ["x", "y"]),
        (((X, Y), (X, Y)), ["x", "y", "x_test", "y_test"]),
        (((X, Y), (X, Y), (X, Y)), ["x", "y", "x_val", "y_val", "x_test", "y_test"]),
        ({"x": X, "y": Y, "groups": Y}, ["x", "y", "groups"]),
    ],
)
def test_arrays_may_come_as_keras_users_have_them(
    found: Any, names: list[str], tmp_path: Path
) -> None:
    arrays = given(found, tmp_path)
    assert list(arrays) == names
    assert np.array_equal(arrays["x"], X)
    assert np.array_equal(arrays[names[-1]], Y)


def test_rows_of_different_lengths_and_columns_arrive(tmp_path: Path) -> None:
    rows = [np.ones((length, 2)) for length in (3, 1, 1)]
    (tmp_path / "a").mkdir()
    arrays = given((rows, ["one", b"two", "three"]), tmp_path / "a")
    assert isinstance(arrays["x"], Ragged)
    assert [item.shape for item in arrays["x"].items] == [(3, 2), (1, 2), (1, 2)]
    assert arrays["y"].tolist() == ["one", "two", "three"]
    (tmp_path / "b").mkdir()
    columns = {"age": [1.0, np.nan], "town": ["Rome", ""]}
    frame = given({"x": columns, "y": [0, 1]}, tmp_path / "b")["x"]
    assert isinstance(frame, Frame)
    assert frame.columns["town"].tolist() == ["Rome", ""]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, r"must give arrays x and y as a pair, .* Received: NoneType"),
        ((X, Y, X), r"must give .* Received: a tuple of 3"),
        ({"x": X}, r"gives a dict without x and y. Received: x"),
        ({"x": X, "y": Y, "labels": Y}, r"labels: unknown array. .* Did you mean 'y'"),
        ((np.array([{}, None]), Y), r"x: holds Python objects"),
    ],
)
def test_what_is_no_data_is_refused(found: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(Unfit, match=words):
        given(found, tmp_path)


def test_data_sets_of_keras_and_tensorflow_are_read_once(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return 3

        def __getitem__(self, number: int) -> Any:
            rows = slice(2 * number, 2 * number + 2)
            return X[rows], Y[rows]

    whole = tf.data.Dataset.from_tensor_slices((X, Y))
    for number, dataset in enumerate((Batches(), whole, whole.batch(4))):
        folder = tmp_path / str(number)
        folder.mkdir()
        arrays = given(dataset, folder)
        assert np.array_equal(arrays["x"], X)
        assert np.array_equal(arrays["y"], Y)
    with pytest.raises(Unfit, match="has no end"):
        given(whole.repeat(), tmp_path)


def test_mnist_is_read_from_the_cache_of_keras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    pixels = np.zeros((6, 28, 28), np.uint8)
    arrays = {"x_train": pixels, "y_train": Y, "x_test": pixels[:2], "y_test": Y[:2]}
    np.savez(tmp_path / "datasets" / "mnist.npz", **arrays)
    found = KerasSet("mnist").read(Memory())
    assert found.x.shape == (6, 28, 28)
    assert found.y_test is not None
    assert found.y_test.tolist() == [0, 1]


@pytest.mark.full
def test_without_a_connection_it_is_said_where_the_file_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(InvalidData, match=r"keras/mnist: .* put mnist.npz into .*datasets"):
        KerasSet("mnist").read(Memory())
