"""A shipped config for each kind of data: from raw samples to plain Keras, which takes raw ones."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.command import run_evonas

ROOT = Path(__file__).parents[2]
SHORT = ("budget={trials: 2}", "training.epochs=1", "pool={inline: {}}")

PLAIN = """
import sys
import keras, numpy as np, tensorflow as tf
model = keras.models.load_model(sys.argv[1])
arrays = dict(np.load(sys.argv[2]))
x = {k: tf.constant(v) if v.dtype.kind == "U" else v for k, v in arrays.items()}
np.save(sys.argv[3], model.predict(x.get("x", x), verbose=0))
assert "evonas" not in sys.modules
"""


def of_plain_keras(root: Path, x: Any) -> np.ndarray[Any, Any]:
    """What a process without evonas gets from `best.keras`, in safe mode.

    Args:
        root: directory of the run.
        x: raw samples: an array, or columns by name.
    """
    given, found = root / "given.npz", root / "found.npy"
    np.savez(given, **(x if isinstance(x, dict) else {"x": x}))
    model = root / "best.keras"
    # Isolated: neither the checkout nor a variable brings evonas in.
    subprocess.run([sys.executable, "-I", "-c", PLAIN, model, given, found], check=True)
    answers: np.ndarray[Any, Any] = np.load(found)
    return answers


def run(name: str, home: Path, *changes: str) -> Path:
    """Run a shipped config, made short; the run's directory."""
    settings = [word for change in (*SHORT, *changes) for word in ("--set", change)]
    done = run_evonas("run", name, "--runs", home / "runs", *settings, HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "runs" / name


def predicted(root: Path, data: Path) -> list[dict[str, str]]:
    """What `evonas predict` writes for new samples."""
    done = run_evonas("predict", root, "--data", data)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def probabilities(rows: list[dict[str, str]]) -> np.ndarray[Any, Any]:
    """The columns of the classes."""
    return np.array([[float(v) for k, v in row.items() if k.startswith("p_")] for row in rows])


def score(root: Path, metric: str) -> float:
    """The winner's score on the test data, on its card."""
    value: float = json.loads((root / "best.json").read_text())["metrics"][metric]
    return value


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder in which shipped configs look for data that cannot be shipped."""
    folder = tmp_path / "evonas_data"
    folder.mkdir()
    return folder


def table(path: Path, columns: dict[str, Any], separator: str = ",") -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    is_packed = path.suffix == ".gz"
    path.write_bytes(
        gzip.compress(text.getvalue().encode()) if is_packed else text.getvalue().encode()
    )


def test_several_labels_as_arrays_of_python(tmp_path: Path) -> None:
    root = run("topics", tmp_path)
    x, y = (np.load(root / "data" / "test" / f"{part}.npy") for part in ("x", "y"))
    import keras

    model: Any = keras.models.load_model(root / "best.keras")
    answers = model.predict(x, verbose=0)
    assert answers.shape == (300, 5)
    assert ((answers > 0.5) == y).mean() == pytest.approx(score(root, "test_accuracy"))


@pytest.mark.full
def test_a_forecast_from_a_table(tmp_path: Path, data: Path) -> None:
    years = np.arange(1700, 1850)
    spots = 50 + 40 * np.sin(2 * np.pi * years / 11)
    table(data / "sunspots.csv", {"YEAR": years, "SUNACTIVITY": spots})
    root = run("sunspots", tmp_path)
    x, y = (np.load(root / "data" / "test" / f"{part}.npy") for part in ("x", "y"))
    assert x.shape[1:] == (33, 1)
    assert y.shape[1:] == (3,)
    # The last three years are the targets of the last window.
    np.testing.assert_allclose(y[-1], spots[-3:])
    np.testing.assert_allclose(x[-1, :, 0], spots[-36:-3], rtol=1e-6)
    import keras

    model: Any = keras.models.load_model(root / "best.keras")
    error = model.predict(x, verbose=0) - y
    rmse = np.sqrt(np.square(error).mean(axis=0)).mean()
    assert rmse == pytest.approx(score(root, "test_rmse"), rel=1e-5)
    new = tmp_path / "new.csv"
    table(new, {"SUNACTIVITY": spots})
    rows = predicted(root, new)
    assert list(rows[-1]) == [
        "after row",
        *(f"prediction_SUNACTIVITY, step {i}" for i in (1, 2, 3)),
    ]
    assert [int(row["after row"]) for row in rows] == list(range(33, 151))
    told = [[float(value) for value in row.values()][1:] for row in rows]
    # The last window with known targets is three rows before the end.
    np.testing.assert_allclose(told[-4], model.predict(x, verbose=0)[-1], rtol=1e-4)


@pytest.mark.full
def test_two_targets_of_a_frame_of_python(tmp_path: Path) -> None:
    root = run("iris", tmp_path)
    assert json.loads((root / "best.json").read_text())["targets"].keys() == {
        "petal length",
        "petal width",
    }
    row = {
        "sepal length": np.array([5.1, 6.0], np.float32),
        "sepal width": np.array([3.5, np.nan], np.float32),
        "species": np.array(["setosa", "of a moon"]),
    }
    new = tmp_path / "new.csv"
    new.write_text("sepal width,sepal length,species\n3.5,5.1,setosa\n,6.0,of a moon\n")
    answers = of_plain_keras(root, row)
    assert answers.shape == (2, 2)
    told = [[float(value) for value in one.values()] for one in predicted(root, new)]
    np.testing.assert_allclose(told, answers, rtol=1e-5)


@pytest.mark.full
def test_pictures_in_the_files_of_mnist(tmp_path: Path, data: Path) -> None:
    folder = data / "fashion_mnist"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, count in (("train", 300), ("t10k", 60)):
        y = np.arange(count) % 10
        x = rng.integers(0, 30, (count, 28, 28)) + 20 * y[:, None, None]
        for what, values in (("images-idx3", x), ("labels-idx1", y)):
            head = bytes([0, 0, 8, values.ndim])
            head += b"".join(size.to_bytes(4, "big") for size in values.shape)
            content = gzip.compress(head + values.astype(np.uint8).tobytes())
            (folder / f"{part}-{what}-ubyte.gz").write_bytes(content)
    root = run("fashion-mnist", tmp_path)
    answers = of_plain_keras(root, x.astype(np.uint8))
    right = (answers.argmax(axis=1) == y).mean()
    assert right == pytest.approx(score(root, "test_accuracy"))
    rows = predicted(root, folder / "t10k-images-idx3-ubyte.gz")
    np.testing.assert_allclose(probabilities(rows), answers, atol=1e-5)


@pytest.mark.full
def test_a_folder_of_photos(tmp_path: Path, data: Path) -> None:
    rng = np.random.default_rng(0)
    for kind, shade in (("roses", 60), ("tulips", 180)):
        folder = data / "flower_photos" / kind
        folder.mkdir(parents=True)
        for number in range(40):
            height, width = (int(side) for side in rng.integers(30, 90, 2))
            pixels = rng.integers(shade - 40, shade + 40, (height, width, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    root = run("flowers", tmp_path, "data.folds=null")
    card = json.loads((root / "best.json").read_text())
    assert card["classes"] == ["roses", "tulips"]
    answers = of_plain_keras(root, pixels[np.newaxis].astype(np.float32))
    assert answers.shape == (1, 2)
    new = tmp_path / "new"
    new.mkdir()
    Image.fromarray(pixels).save(new / "somewhere.png")
    (row,) = predicted(root, new)
    assert row["file"] == "somewhere.png"
    np.testing.assert_allclose(probabilities([row]), answers, atol=1e-5)


@pytest.mark.full
def test_a_table_with_words_and_gaps(tmp_path: Path, data: Path) -> None:
    rng = np.random.default_rng(0)
    count = 2100
    age = rng.integers(17, 90, count)
    columns: dict[str, Any] = {"age": age, "fnlwgt": rng.integers(10**4, 10**6, count)}
    words = "workclass education marital-status occupation relationship race sex native-country"
    for name in words.split():
        columns[name] = rng.choice(["", "0", "1", "7"], count)
    columns["target"] = (age > 50).astype(int)
    table(data / "adult.tsv.gz", columns, "\t")
    root = run("adult", tmp_path)
    # A dict, and a frame, whose columns are in another order: a gap, and a word that is new.
    import polars as pl

    used = [name for name in columns if name not in ("education", "target")]
    row: dict[str, Any] = {name: np.array([columns[name][0], columns[name][1]]) for name in used}
    row["age"] = np.array([np.nan, 44.0], np.float32)
    row["fnlwgt"] = row["fnlwgt"].astype(np.float32)
    row["sex"] = np.array(["", "12"])
    frame = pl.DataFrame(row).select(reversed(used))
    answers = of_plain_keras(root, row)
    from_frame = of_plain_keras(root, {one.name: np.array(one.to_list()) for one in frame})
    np.testing.assert_array_equal(answers, from_frame)
    new = tmp_path / "new.csv"
    frame.with_columns(pl.col("age").fill_nan(None)).write_csv(new)
    np.testing.assert_allclose(probabilities(predicted(root, new)), answers, rtol=1e-5)


@pytest.mark.full
def test_texts(tmp_path: Path, data: Path) -> None:
    kinds = {"number": "How many moons has {} ?", "person": "Who has discovered {} ?"}
    places = [f"planet {chr(97 + i % 26)}{i}" for i in range(60)]
    rows = [(kind, text.format(place)) for place in places for kind, text in kinds.items()]
    columns = {"kind": [row[0] for row in rows], "question": [row[1] for row in rows]}
    table(data / "questions.csv", columns)
    root = run("questions", tmp_path, "data.folds=null")
    new = tmp_path / "new.csv"
    asked = ["How many rings has it ?", "Who has never been there ?"]
    table(new, {"question": asked})
    answers = of_plain_keras(root, np.array(asked))
    np.testing.assert_allclose(probabilities(predicted(root, new)), answers, rtol=1e-4)


@pytest.mark.full
def test_sequences_of_different_length(tmp_path: Path, data: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for ending, count in (("", 90), ("_test", 45)):
        y = np.arange(count) % 9
        items = [rng.normal(label, 1, (rng.integers(7, 29), 12)) for label in y]
        arrays |= {f"x{ending}": np.concatenate(items), f"y{ending}": y}
        arrays[f"lengths{ending}"] = np.array([len(item) for item in items])
    np.savez(data / "vowels.npz", **arrays)
    root = run("vowels", tmp_path, "data.folds=null")
    padded = np.full((45, 29, 12), np.nan, np.float32)
    for row, item in zip(padded, items, strict=True):
        row[: len(item)] = item
    answers = of_plain_keras(root, padded)
    right = (answers.argmax(axis=1) == y).mean()
    assert right == pytest.approx(score(root, "test_accuracy"))
    new = tmp_path / "new.npz"
    np.savez(new, x=arrays["x_test"], lengths=arrays["lengths_test"])
    np.testing.assert_allclose(probabilities(predicted(root, new)), answers, atol=1e-5)


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "file", "target", "separator"),
    [
        ("concrete", "concrete.csv", "strength", ","),
        ("wine-quality", "winequality-red.csv", "quality", ";"),
    ],
)
def test_a_regression(
    tmp_path: Path, data: Path, name: str, file: str, target: str, separator: str
) -> None:
    rng = np.random.default_rng(0)
    measured = rng.normal(size=(300, 3)).round(3)
    y = np.clip((5 + measured.sum(axis=1)).round(), 1, 9)
    columns = dict(zip(("fixed acidity", "b", "c"), measured.T, strict=True))
    whole = {**columns, target: y.astype(int) if name == "wine-quality" else y + 0.25}
    table(data / file, whole, separator)
    root = run(name, tmp_path)
    row = {key: values[:5].astype(np.float32) for key, values in columns.items()}
    answers = of_plain_keras(root, row)
    assert answers.shape == (5, 1)
    new = tmp_path / "new.csv"
    table(new, {key: values[:5] for key, values in columns.items()})
    told = [float(one["prediction"]) for one in predicted(root, new)]
    np.testing.assert_allclose(told, answers[:, 0], rtol=1e-5)
