"""The real data sets of `make bench-real`, brought into one form for all entrants.

Each becomes a folder in build/real with `problem.json`, `train.npz` and `test.npz`. The test part
is the official one, or a fifth of the samples, drawn once. No entrant sees it before its search is
over.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

Array = NDArray[Any]
Parts = tuple[Array, Array, Array, Array]
"""x and y for the search, x and y of the test."""

IMAGES = 10_000
"""Training images of Fashion-MNIST, as in the other benchmarks: the first ones."""


@dataclass(frozen=True)
class Problem:
    """A data set, and how long each entrant may search.

    Attributes:
        name: name of the data set.
        kind: `image`, `table`, `sequence` or `text`.
        seconds: wall-clock of a search, with all that belongs to it.
        task: `classification` (scored by accuracy) or `regression` (by the root of the mean squared
            error).
        words: numbers of the columns whose values are names, not quantities.
    """

    name: str
    kind: str
    seconds: int = 60
    task: str = "classification"
    words: tuple[int, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether less is better."""
        return self.task == "regression"


ADULT_WORDS = (1, 3, 5, 6, 7, 8, 9, 13)
"""workclass, education, marital-status, occupation, relationship, race, sex, native-country."""

PROBLEMS: Mapping[str, Problem] = {
    problem.name: problem
    for problem in (
        Problem("fashion", "image", 120),
        Problem("adult", "table", words=ADULT_WORDS),
        Problem("satimage", "table"),
        Problem("phoneme", "table"),
        Problem("car", "table", words=(0, 1, 2, 3, 4, 5)),
        Problem("concrete", "table", task="regression"),
        Problem("wine", "table", task="regression"),
        Problem("trec", "text", 120),
        Problem("vowels", "sequence"),
    )
}


def _pmlb(name: str) -> Callable[[Path], Parts]:
    def read(folder: Path) -> Parts:
        with gzip.open(folder / "tabular" / "pmlb" / f"{name}.tsv.gz", "rt") as file:
            head, *rows = csv.reader(file, delimiter="\t")
        values = np.array(rows, dtype=np.float64)
        target = head.index("target")
        x = np.delete(values, target, axis=1)
        y = values[:, target].astype(np.int64)
        train, test, y_train, y_test = train_test_split(
            x, y, test_size=0.2, random_state=0, stratify=y
        )
        return train, y_train, test, y_test

    return read


def _uci(name: str) -> Callable[[Path], Parts]:
    def read(folder: Path) -> Parts:
        with np.load(folder / "tabular" / "uci_regression" / f"{name}.npz") as found:
            x, y, test = found["x"].astype(np.float64), found["y"], found["test_0"]
        rest = np.setdiff1d(np.arange(len(x)), test)
        return x[rest], y[rest], x[test], y[test]

    return read


def _fashion(folder: Path) -> Parts:
    def idx(name: str) -> Array:
        content = gzip.decompress((folder / "images" / "fashion_mnist" / name).read_bytes())
        axes = content[3]
        shape = np.frombuffer(content, ">i4", axes, 4)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)

    x, y = idx("train-images-idx3-ubyte.gz"), idx("train-labels-idx1-ubyte.gz")
    test = idx("t10k-images-idx3-ubyte.gz"), idx("t10k-labels-idx1-ubyte.gz")
    return x[:IMAGES], y[:IMAGES].astype(np.int64), test[0], test[1].astype(np.int64)


def _trec(folder: Path) -> Parts:
    def read(name: str) -> tuple[Array, Array]:
        path = folder / "sequences" / "text" / f"TREC.{name}.all.gz"
        lines = gzip.decompress(path.read_bytes()).decode("latin-1").splitlines()
        pairs = [line.split(" ", 1) for line in lines if line]
        return np.array([text for _, text in pairs]), np.array([int(label) for label, _ in pairs])

    return *read("train"), *read("test")


def _vowels(folder: Path) -> Parts:
    """Padded behind with NaN to the longest sequence."""
    with np.load(folder / "sequences" / "ucr_uea" / "JapaneseVowels.npz") as found:
        arrays = {name: found[name] for name in found.files}
    longest = int(max(arrays["train_lengths"].max(), arrays["test_lengths"].max()))

    def padded(part: str) -> Array:
        lengths = arrays[f"{part}_lengths"]
        ends = np.cumsum(lengths)
        x = np.full((len(lengths), longest, 12), np.nan, np.float32)
        for number, (end, length) in enumerate(zip(ends, lengths, strict=True)):
            x[number, :length] = arrays[f"{part}_x"][end - length : end]
        return x

    y, y_test = arrays["train_y"].astype(np.int64), arrays["test_y"].astype(np.int64)
    return padded("train"), y, padded("test"), y_test


READERS: Mapping[str, Callable[[Path], Parts]] = {
    "fashion": _fashion,
    "adult": _pmlb("adult"),
    "satimage": _pmlb("satimage"),
    "phoneme": _pmlb("phoneme"),
    "car": _pmlb("car"),
    "concrete": _uci("concrete"),
    "wine": _uci("wine-quality-red"),
    "trec": _trec,
    "vowels": _vowels,
}


def write(problem: Problem, data: Path, folder: Path) -> None:
    """Write a problem for its entrants, unless it is there.

    Args:
        data: folder of the data sets.
        folder: folder of the problem.
    """
    if (folder / "problem.json").exists():
        return
    x, y, x_test, y_test = READERS[problem.name](data)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "train.npz", x=x, y=y)
    np.savez(folder / "test.npz", x=x_test, y=y_test)
    text = json.dumps({**asdict(problem), "is_error": problem.is_error})
    (folder / "problem.json").write_text(text)
