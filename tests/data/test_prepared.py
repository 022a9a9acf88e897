"""Data: what is written, how it is split and measured, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.columns import moments
from evonas.data.fitting import FITTED
from evonas.data.prepared import FILES, DataSettings, Prepared, prepare
from evonas.data.raw import CHUNK
from evonas.data.sources import SHIPPED, Digits, Npz
from evonas.data.splits import Part, Shares, Split
from evonas.errors import InvalidData
from evonas.files import sha256_of
from evonas.learning.tasks import guess_task

N = 60


def table(**changes: Any) -> dict[str, Any]:
    """60 good samples of 4 features in 3 classes; None removes an array."""
    rng = np.random.default_rng(1)
    arrays = {"x": rng.normal(size=(N, 4)), "y": np.arange(N) % 3, **changes}
    return {key: array for key, array in arrays.items() if array is not None}


def changed(array: Any, index: Any, value: Any) -> Any:
    copy = np.array(array, copy=True)
    copy[index] = value
    return copy


def prepared(
    tmp_path: Path,
    arrays: dict[str, Any],
    kind: str = "vector",
    task: str | None = None,
    split: Split | None = None,
    **shares: Any,
) -> Prepared:
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    settings = DataSettings(kind, Npz(str(path)), task, Shares(**shares), split)
    return prepare(settings, tmp_path / "run")


def messages(
    tmp_path: Path,
    arrays: dict[str, Any],
    kind: str = "vector",
    task: str | None = None,
    **more: Any,
) -> list[str]:
    with pytest.raises(InvalidData) as caught:
        prepared(tmp_path, arrays, kind, task, **more)
    assert not (tmp_path / "run").exists()
    return [
        str(problem).removeprefix(f"{tmp_path / 'data.npz'}: ") for problem in caught.value.problems
    ]


def stored(tmp_path: Path, part: Part) -> tuple[Any, Any]:
    x, y = (np.load(tmp_path / "run" / name, allow_pickle=False) for name in FILES[part])
    return x, y


def test_digits_are_split_whole_and_stratified(tmp_path: Path) -> None:
    result = prepare(DataSettings("image", Digits()), tmp_path / "run")
    assert result.counts == {"train": 1079, "validation": 359, "test": 359}
    assert result.interface.input.shape == (8, 8)
    assert result.interface.classes == tuple(range(10))
    assert "classification" in result.guess
    assert "10 distinct values" in result.guess
    seen = []
    for part, count in result.counts.items():
        x, y = stored(tmp_path, part)  # type: ignore[arg-type]
        assert x.shape == (count, 8, 8)
        assert x.dtype == np.float32
        assert y.dtype == np.int32
        assert np.bincount(y, minlength=10).min() >= 0.09 * count
        seen.append(x.reshape(count, -1))
    from sklearn.datasets import load_digits

    everything = load_digits(return_X_y=True)[0].astype(np.float32)
    assert sorted(map(bytes, np.concatenate(seen))) == sorted(map(bytes, everything))


@pytest.mark.parametrize(
    ("name", "counts", "features", "classes"),
    [
        ("breast_cancer", (341, 114, 114), 30, (0, 1)),
        ("wine", (106, 36, 36), 13, (0, 1, 2)),
        ("diabetes", (266, 88, 88), 10, ()),
    ],
)
def test_tables_that_scikit_learn_brings(
    tmp_path: Path, name: str, counts: tuple[int, ...], features: int, classes: tuple[int, ...]
) -> None:
    result = prepare(DataSettings("vector", SHIPPED[name]()), tmp_path / "run")
    interface = result.interface
    assert tuple(result.counts[part] for part in ("train", "validation", "test")) == counts
    assert (interface.input.shape, interface.classes) == ((features,), classes)
    assert interface.task == ("classification" if classes else "regression")
    assert result.guess.startswith(interface.task)
    x, y = stored(tmp_path, "train")
    assert x.dtype == np.float32
    assert not np.isclose(x.mean(axis=0), 0).all(), "as it was measured: the model normalizes"
    if not classes:
        assert (y.min(), y.max()) == (25, 346)


def test_digits_are_read_row_by_row_where_the_space_wants_sequences(tmp_path: Path) -> None:
    interface = prepare(DataSettings("sequence", Digits()), tmp_path / "run").interface
    assert (interface.input.kind, interface.input.shape) == ("sequence", (8, 8))
    x, _ = stored(tmp_path, "train")
    assert len(interface.input.fitted["mean"]) == 8
    assert interface.input.fitted["mean"] == pytest.approx(
        tuple(x.mean(axis=(0, 1), dtype=np.float64))
    )


def test_normalization_is_measured_on_training_data_alone(tmp_path: Path) -> None:
    x = np.zeros((N, 2, 3), np.float32)
    x[:, :, 1] = np.arange(N)[:, np.newaxis] ** 2
    interface = prepared(tmp_path, table(x=x), "sequence").interface
    train, _ = stored(tmp_path, "train")
    assert interface.input.fitted["mean"] == pytest.approx(
        (0, train[:, :, 1].mean(dtype=np.float64), 0)
    )
    assert interface.input.fitted["variance"] == pytest.approx(
        (1, train[:, :, 1].var(dtype=np.float64), 1)
    )
    assert interface.input.fitted["mean"][1] != pytest.approx(x[:, :, 1].mean())


def test_targets_of_regression_are_measured_on_training_data_alone(tmp_path: Path) -> None:
    y = np.arange(N) ** 2.0
    interface = prepared(tmp_path, table(y=y)).interface
    _, train = stored(tmp_path, "train")
    assert train.dtype == np.float64
    assert (interface.task, interface.classes, interface.outputs) == ("regression", (), 1)
    assert interface.target_mean == pytest.approx(train.mean())
    assert interface.target_scale == pytest.approx(train.std())
    assert interface.target_mean != pytest.approx(y.mean())


@pytest.mark.parametrize(
    ("kind", "shape", "channels"),
    [
        ("image", (5, 4), 1),
        ("image", (5, 4, 3), 3),
        ("sequence", (7,), 1),
        ("sequence", (7, 2), 2),
        ("vector", (6,), 6),
    ],
)
def test_moments_are_per_channel_or_feature(
    kind: str, shape: tuple[int, ...], channels: int
) -> None:
    x = np.random.default_rng(0).integers(0, 255, size=(20, *shape)).astype(np.uint8)
    columns = x.reshape(-1, channels)
    mean, variance = moments(x, kind)
    np.testing.assert_allclose(mean, columns.mean(axis=0))
    np.testing.assert_allclose(variance, columns.var(axis=0))


def test_moments_of_a_constant_are_harmless() -> None:
    x = np.full((1000, 2), 0.1, np.float32)
    mean, variance = moments(x, "vector")
    assert mean == pytest.approx((0.1, 0.1))
    assert variance == (1.0, 1.0)


def test_moments_in_chunks_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(100, 1, size=(50, 3)).astype(np.float32)
    monkeypatch.setattr("evonas.data.raw.CHUNK", 9)
    mean, variance = moments(x, "vector")
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(variance, x.var(axis=0, dtype=np.float64), rtol=1e-6)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.where(np.arange(N) % 2, "yes", "no"), ("no", "yes")),
        (np.arange(N) % 2 == 0, (False, True)),
        (np.where(np.arange(N) % 2, 7.0, -1.0), (-1, 7)),
        (np.where(np.arange(N) % 2, 7, 30).astype(np.uint8), (7, 30)),
    ],
)
def test_labels_become_class_numbers(tmp_path: Path, y: Any, classes: tuple[Any, ...]) -> None:
    x = np.stack([np.arange(N)] * 2, axis=1)
    result = prepared(tmp_path, table(x=x, y=y), task="classification")
    assert result.interface.classes == classes
    assert result.guess == ""
    for part in ("train", "validation", "test"):
        rows, numbers = stored(tmp_path, part)
        assert [classes[number] for number in numbers] == [y[int(row[0])] for row in rows]


@pytest.mark.parametrize(
    ("y", "task", "reason"),
    [
        (np.array(["a", "b"]), "classification", "words"),
        (np.array([True, False]), "classification", "booleans"),
        (np.array([1.0, 2.0]), "regression", "floats"),
        (np.arange(50) % 10, "classification", "10 distinct"),
        (np.arange(50), "regression", "50 distinct"),
        (np.arange(1000) % 101, "regression", "101 distinct"),
    ],
)
def test_the_task_is_guessed_with_its_reason(y: Any, task: str, reason: str) -> None:
    guessed, words = guess_task(y)
    assert guessed.name == task
    assert words.startswith(task)
    assert reason in words


def test_the_split_depends_on_its_own_seed_alone(tmp_path: Path) -> None:
    arrays = table()
    first, again, other = (prepared(tmp_path, arrays, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.files != other.files
    assert first.fingerprint != other.fingerprint


def test_the_fingerprint_sees_one_changed_value(tmp_path: Path) -> None:
    first = prepared(tmp_path, table())
    second = prepared(tmp_path, table(x=changed(table()["x"], (3, 1), 0.5)))
    assert len(first.fingerprint) == 64
    assert first.fingerprint != second.fingerprint


def test_files_are_listed_with_their_sha256(tmp_path: Path) -> None:
    result = prepared(tmp_path, table())
    arrays = [name for names in FILES.values() for name in names]
    assert sorted(result.files) == sorted([*arrays, FITTED])
    for name, digest in result.files.items():
        assert sha256_of(tmp_path / "run" / name) == digest
    assert not list((tmp_path / "run").rglob("*.tmp"))


def test_a_test_set_of_its_own_is_kept(tmp_path: Path) -> None:
    x_test = np.full((6, 4), 9.0)
    result = prepared(tmp_path, table(x_test=x_test, y_test=np.arange(6) % 3), validation=0.25)
    assert result.counts == {"train": 45, "validation": 15, "test": 6}
    x, y = stored(tmp_path, "test")
    assert (x == 9).all()
    assert y.tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("source", "target"), [(np.uint8, np.uint8), (np.bool_, np.uint8), (np.int64, np.float32)]
)
def test_bytes_stay_bytes(tmp_path: Path, source: Any, target: Any) -> None:
    prepared(tmp_path, table(x=np.eye(N, 4).astype(source)))
    assert stored(tmp_path, "train")[0].dtype == target


def test_bytes_become_floats_beside_a_test_set_of_floats(tmp_path: Path) -> None:
    arrays = table(
        x=np.eye(N, 4).astype(np.uint8), x_test=np.full((6, 4), 0.5), y_test=np.arange(6) % 3
    )
    prepared(tmp_path, arrays)
    assert stored(tmp_path, "train")[0].dtype == stored(tmp_path, "test")[0].dtype == np.float32
    assert (stored(tmp_path, "test")[0] == 0.5).all()


def test_a_column_of_targets_is_accepted(tmp_path: Path) -> None:
    prepared(tmp_path, table(y=table()["y"][:, np.newaxis]))
    assert stored(tmp_path, "train")[1].shape == (36,)


GOOD = table()
BAD_ARRAYS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "labels with NaN": (
        {"y": changed(GOOD["y"] * 1.0, 17, np.nan)},
        ["y: ", "finite", "nan at y[17]"],
    ),
    "NaN in x": ({"x": changed(GOOD["x"], (5, 2), np.nan)}, ["x: ", "finite", "nan at x[5, 2]"]),
    "infinite in x": ({"x": changed(GOOD["x"], (5, 2), -np.inf)}, ["x: ", "-inf at x[5, 2]"]),
    "too large for 32 bits": (
        {"x": changed(GOOD["x"], (5, 2), 1e39)},
        ["x: ", "32-bit", "1e+39 at x[5, 2]"],
    ),
    "words in x": (
        {"x": changed(np.full((N, 4), "1.5"), (5, 2), "abc")},
        [
            "x: ",
            "numbers",
            "<U3",
            "x[5, 2] (column 2, counted from 0), the first that is no number, is 'abc'.",
            "Leave such a column out",
        ],
    ),
    "numbers as words in x": (
        {"x": np.full((N, 4), "1.5")},
        ["x: ", "All are numbers: write x.astype(float)."],
    ),
    "dates in x": (
        {"x": np.full((N, 4), "2024-01-01", "M8[s]")},
        ["x: ", "numbers", "datetime64[s]", "numpy.timedelta64(1, 'D')"],
    ),
    "words as bytes": ({"y": np.full(N, b"a")}, ["y: ", "words", "|S1", ".astype(str)"]),
    "complex x": ({"x": GOOD["x"] * 1j}, ["x: ", "numbers", "complex128"]),
    "one class": ({"y": np.ones(N, int)}, ["y: ", "two classes", "only 1"]),
    "one target": ({"y": np.ones(N)}, ["y: ", "differ", "only 1.0"]),
    "rare class": (
        {"y": changed(GOOD["y"], [4, 9], 8)},
        ["y: ", "class 8", "at least 3", "Received: 2", "y[4]"],
    ),
    "different lengths": ({"y": GOOD["y"][:50]}, ["y: ", "50 in y", "60 in x"]),
    "one-hot": ({"y": np.eye(3)[GOOD["y"]]}, ["y: ", "one axis", "(60, 3)", "argmax"]),
    "validation without targets": ({"x_val": GOOD["x"]}, ["y_val: ", "missing"]),
    "an array that nothing reads": (
        {"colour": GOOD["y"]},
        ["colour: ", "unknown array. Allowed: x, y", "without it"],
    ),
    "a misspelt test set": ({"x_tset": GOOD["x"]}, ["x_tset: ", "Did you mean 'x_test'?"]),
    "an array that spoils a terminal": ({"a\x1b[1m": GOOD["x"]}, ["'a\\x1b[1m': ", "unknown"]),
    "only zeros": (
        {"x": np.zeros((N, 4))},
        ["x: needs samples that differ", f"the same one {N} times, whose values are all 0.0."],
    ),
    "only one sample": (
        {"x": np.tile([1, 2, 3, 4], (N, 1))},
        ["x: needs samples that differ", f"the same one {N} times, whose values differ."],
    ),
    "empty x": ({"x": np.zeros((0, 4))}, ["x: ", "empty", "(0, 4)"]),
    "empty y": ({"y": np.zeros(0)}, ["y: ", "empty"]),
    "missing y": (
        {"y": None, "labels": GOOD["y"]},
        ["y: ", "missing", "x_test", "Found: x, labels"],
    ),
    "test set without targets": ({"x_test": GOOD["x"]}, ["y_test: ", "missing"]),
    "x_test of another shape": (
        {"x_test": np.ones((9, 5)), "y_test": np.arange(9) % 3},
        ["x_test: ", "(4,)", "(5,)"],
    ),
    "NaN in x_test": (
        {"x_test": changed(GOOD["x"], (2, 0), np.nan), "y_test": GOOD["y"]},
        ["x_test: ", "nan at x_test[2, 0]"],
    ),
    "unknown label in y_test": (
        {"x_test": GOOD["x"], "y_test": changed(GOOD["y"], 11, 7)},
        ["y_test: ", "Allowed: 0, 1, 2", "Received: 7 at y_test[11]"],
    ),
    "labels of another kind in y_test": (
        {"x_test": GOOD["x"], "y_test": np.full(N, "0")},
        ["y_test: ", "<U1"],
    ),
    "images": (
        {"x": np.ones((N, 8, 8))},
        ["x: ", "vector input", "1 axis (features)", "samples of shape (8, 8)"],
    ),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays_are_refused_with_their_place(tmp_path: Path, case: str) -> None:
    changes, words = BAD_ARRAYS[case]
    first = messages(tmp_path, table(**changes))[0]
    assert all(word in first for word in words), first
    assert first.startswith(words[0])


def test_ragged_arrays_are_refused(tmp_path: Path) -> None:
    ragged = np.empty(N, object)
    ragged[:] = [[0] * (1 + i % 2) for i in range(N)]
    (message,) = messages(tmp_path, table(x=ragged))
    assert "rows of different lengths" in message
    assert "Pad" in message


def test_the_names_of_other_libraries_are_known(tmp_path: Path) -> None:
    arrays = {"x_train": GOOD["x"], "Y": GOOD["y"]}
    found = messages(tmp_path, arrays)
    assert [message.partition(": ")[0] for message in found] == ["x", "y", "x_train", "Y"]
    assert found[2].endswith("Did you mean 'x'?")
    assert found[3].endswith("Did you mean 'y'?")
    # An array of that name is there: it cannot be meant.
    (message,) = messages(tmp_path, table(labels=GOOD["y"]))
    assert "Did you mean" not in message


def test_many_unknown_arrays_are_not_all_named(tmp_path: Path) -> None:
    found = messages(tmp_path, table(**{f"test_{i}": np.arange(3) for i in range(30)}))
    assert len(found) == 21
    assert found[-1] == "and 10 more unknown arrays."


def test_an_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, **table())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y", b"")
    assert ": y: this array is there twice." in refusal(path)


GUESSES: dict[str, tuple[dict[str, Any], str, str]] = {
    "counts": ({"y": np.r_[np.arange(N - 2) % 6, 6, 6]}, "class 6", "`task: regression`"),
    "years": (
        {"y": np.r_[2000 + np.arange(N - 1) % 11, 2019]},
        "class 2019",
        "`task: regression`",
    ),
    "a class of the test set alone": (
        {"x_test": GOOD["x"], "y_test": GOOD["y"] + 1},
        "label that y does not",
        "`task: regression`",
    ),
    "labels as floats": ({"y": np.full(N, 1.0)}, "that differ", "`task: classification`"),
    "numbers of classes as floats": (
        {"y": 1.7e9 + GOOD["y"]},
        "32-bit floats",
        "`task: classification`",
    ),
    "numbers in words": ({"y": np.arange(N).astype(str)}, "too few", "y.astype(float)"),
}


@pytest.mark.parametrize("case", GUESSES)
def test_a_refusal_that_follows_from_a_guess_says_so(tmp_path: Path, case: str) -> None:
    changes, issue, way_out = GUESSES[case]
    found = messages(tmp_path, table(**changes))
    assert issue in found[0]
    assert found[-1].startswith("data.task: was not given, and is guessed to be ")
    assert way_out in found[-1]
    assert sum("data.task" in message for message in found) == 1


def test_a_refusal_under_a_given_task_or_of_samples_speaks_of_no_guess(tmp_path: Path) -> None:
    counts = {"y": np.r_[np.arange(N - 2) % 6, 6, 6]}
    found = messages(tmp_path, table(**counts), task="classification")
    found += messages(tmp_path, table(x=changed(GOOD["x"], (5, 2), np.nan)))
    found += messages(tmp_path, table(x=1e10 + GOOD["x"]))
    assert not any("guess" in message for message in found)


def test_numbers_in_words_are_not_taken_for_labels(tmp_path: Path) -> None:
    (message,) = messages(tmp_path, table(y=np.full(N, "1.5")), task="regression")
    assert "y.astype(float)" in message
    assert "classification" not in message


@pytest.mark.parametrize(
    ("shape", "is_noticed"),
    [
        ((3, 32, 32), True),
        ((1, 28, 28), True),
        ((4, 6, 5), True),
        ((32, 32, 3), False),
        ((3, 32, 3), False),
        ((5, 32, 32), False),
        ((3, 3, 32), False),
    ],
)
def test_channels_that_come_first_are_noticed(
    tmp_path: Path, shape: tuple[int, ...], is_noticed: bool
) -> None:
    x = np.random.default_rng(0).integers(0, 255, size=(N, *shape)).astype(np.uint8)
    notes = prepared(tmp_path, table(x=x), "image").notes
    assert ("write x.transpose(0, 2, 3, 1)" in "".join(notes)) is is_noticed


def test_targets_are_kept_as_they_were_given(tmp_path: Path) -> None:
    # A 32-bit float would round them to 1/128.
    y = 1e5 + 100 * np.linspace(-1, 1, N)
    prepared(tmp_path, table(y=y))
    kept = np.concatenate([stored(tmp_path, part)[1] for part in FILES])
    assert sorted(kept) == sorted(y)


def test_fractional_labels_are_refused(tmp_path: Path) -> None:
    (message,) = messages(
        tmp_path, table(y=changed(GOOD["y"] * 1.0, 7, 0.5)), task="classification"
    )
    assert "whole numbers" in message
    assert "0.5 at y[7]" in message
    assert "task: regression" in message


def test_words_are_no_targets_of_regression(tmp_path: Path) -> None:
    (message,) = messages(tmp_path, table(y=np.full(N, "a")), task="regression")
    assert "numbers" in message
    assert "task: classification" in message


def test_too_few_samples_for_the_classes(tmp_path: Path) -> None:
    (message,) = messages(
        tmp_path, table(x=np.eye(9, 4), y=np.arange(9) % 3), task="classification"
    )
    assert "at least 3" in message
    assert "validation 2" in message


def test_a_class_must_be_left_to_train_on(tmp_path: Path) -> None:
    y = np.repeat([0, 1], [57, 3])
    (message,) = messages(tmp_path, table(y=y), validation=0.48, test=0.48, task="classification")
    assert "class 1" in message
    assert "train" in message


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    x = changed(GOOD["x"], (1, 1), np.nan)
    y = changed(GOOD["y"] * 1.0, 3, np.inf)[:50]
    found = messages(tmp_path, table(x=x, y=y), "image")
    assert len(found) == 4
    for words in ("2 axes", "x[1, 1]", "50 in y", "y[3]"):
        assert any(words in message for message in found)


def test_the_first_bad_value_is_found_beyond_the_first_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHUNK > 1000
    monkeypatch.setattr("evonas.data.raw.CHUNK", 12)
    assert "x[50, 3]" in messages(tmp_path, table(x=changed(GOOD["x"], (50, 3), np.nan)))[0]


def refusal(path: Path) -> str:
    with pytest.raises(InvalidData) as caught:
        prepare(DataSettings("vector", Npz(str(path))), path.parent / "run")
    message = str(caught.value)
    assert message.startswith(str(path))
    return message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.npz")
    assert "folder" in refusal(tmp_path)
    text, empty, single = tmp_path / "text.npz", tmp_path / "empty.npz", tmp_path / "single.npy"
    text.write_text("x,y\n1,2\n")
    empty.write_bytes(b"")
    np.save(single, np.ones(3))
    assert "no .npz" in refusal(text)
    assert "numpy.savez" in refusal(text)
    assert "no .npz" in refusal(empty)
    assert "one array" in refusal(single)


@pytest.mark.parametrize("part", [0.3, 0.97])
def test_a_truncated_file_is_refused(tmp_path: Path, part: float) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, **table())
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert "damaged or cut short" in refusal(path)


def test_a_damaged_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, **table())
    content = bytearray(path.read_bytes())
    content[600] ^= 0xFF
    path.write_bytes(content)
    assert ": x: is damaged" in refusal(path)


def test_data_are_prepared_without_keras(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from evonas.data.prepared import DataSettings, prepare
from evonas.data.sources import Digits
assert "sklearn" not in sys.modules
prepare(DataSettings("image", Digits()), Path({str(tmp_path)!r}))
assert not {{"keras", "tensorflow"}} & set(sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


TESTED = table(x_test=np.full((6, 4), 9.0), y_test=np.arange(6) % 3)
OTHER_ARRAYS: dict[str, dict[str, Any]] = {
    "one label": {"y": changed(TESTED["y"], [4, 5], TESTED["y"][[5, 4]])},
    "all labels": {"y": 2 - TESTED["y"]},
    "one sample": {"x": changed(TESTED["x"], (3, 1), 0.5)},
    "the order of x": {"x": TESTED["x"][::-1]},
    "one sample of the test set": {"x_test": changed(TESTED["x_test"], (5, 3), 9.5)},
    "the labels of the test set": {"y_test": TESTED["y_test"][::-1]},
    "no test set": {"x_test": None, "y_test": None},
    "the type of x": {"x": TESTED["x"].astype(np.float32)},
    "the names of the labels": {"y": TESTED["y"] + 10, "y_test": TESTED["y_test"] + 10},
}


@pytest.mark.parametrize("case", OTHER_ARRAYS)
def test_the_fingerprint_sees_every_array(tmp_path: Path, case: str) -> None:
    first = prepared(tmp_path, TESTED)
    second = prepared(tmp_path, table(**{**TESTED, **OTHER_ARRAYS[case]}))
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    "settings", [{"validation": 0.3}, {"test": 0.3}, {"seed": 1}, {"task": "regression"}]
)
def test_the_fingerprint_sees_every_setting_that_decides_the_split(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    first = prepared(tmp_path, table())
    second = prepared(tmp_path, table(), **settings)
    assert first.fingerprint != second.fingerprint


def test_the_fingerprint_does_not_see_the_name_of_a_file_nor_whether_a_task_was_guessed(
    tmp_path: Path,
) -> None:
    first = prepared(tmp_path, table())
    (tmp_path / "elsewhere").mkdir()
    second = prepared(tmp_path / "elsewhere", table(), task="classification")
    assert first.fingerprint == second.fingerprint
