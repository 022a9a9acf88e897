"""Every source keeps the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from evonas.data.sources import (
    SHIPPED,
    SOURCES,
    KerasSet,
    Npz,
    PythonFunction,
    SequenceFolder,
    Source,
    Table,
    TextFolder,
)
from evonas.data.sources.given import Given, lay_down
from evonas.data.sources.idx import Idx
from evonas.data.sources.npy import Npy
from evonas.data.sources.pictures import Pictures
from evonas.testing import SourceSuite


def written(folder: Path) -> Source:
    """A file with samples of two classes, and a validation set of its own."""
    x = np.arange(24, dtype=np.float32).reshape(12, 2)
    y = np.arange(12) % 2
    np.savez(folder / "data.npz", x=x, y=y, x_val=x[:4], y_val=y[:4])
    return Npz(str(folder / "data.npz"))


def table(folder: Path) -> Source:
    """A table with numbers, words and gaps."""
    rows = [f"{row * row % 7}.5,{'ab'[row % 2]},{row % 3}" for row in range(12)]
    text = "\n".join(["size,word,label", *rows, ",,1"])
    (folder / "data.csv").write_text(text, encoding="utf-8")
    return Table(str(folder / "data.csv"))


def files(folder: Path, ending: str, content: str) -> str:
    """Twelve files of two classes."""
    for number in range(12):
        path = folder / "files" / "ab"[number % 2] / f"{number}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content * (1 + number % 3), encoding="utf-8")
    return str(folder / "files")


X = np.arange(48, dtype=np.uint8).reshape(12, 2, 2)
Y = np.arange(12, dtype=np.uint8) % 2


def arrays_of_numpy(folder: Path) -> Source:
    """Two files beside one another."""
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    return Npy(str(folder))


def given(folder: Path) -> Source:
    """A table with weights beside it, and rows for validation."""
    rows = pl.DataFrame({"size": [0.5, 1.5, 2.5, 4.0] * 3, "label": ["a", "b", "b", "a"] * 3})
    lay_down(folder / "given", {"sample_weight": np.ones(12)}, rows, rows.head(4))
    return Given(str(folder / "given"), target="label", columns={"size": "number"})


def idx(folder: Path) -> Source:
    """Files with the names of MNIST's."""
    for name, array in {"images-idx3": X, "labels-idx1": Y}.items():
        sizes = np.array(array.shape, ">u4").tobytes()
        head = bytes([0, 0, 8, array.ndim])
        (folder / f"train-{name}-ubyte").write_bytes(head + sizes + array.tobytes())
    return Idx(str(folder))


def pictures(folder: Path) -> Source:
    """Two classes, a picture each."""
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir()
        Image.fromarray(X[number] + np.uint8(number)).save(folder / name / "1.png")
    return Pictures(str(folder))


def cached(folder: Path) -> Source:
    """A file as in the cache of Keras."""
    np.savez(folder / "mnist.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    return KerasSet("mnist", str(folder))


def function(folder: Path) -> Source:
    """A function in a module beside the config."""
    text = "def give():\n    return [[1.0], [2.0]], [0, 1]\n"
    (folder / "of_mine.py").write_text(text)
    return PythonFunction("of_mine:give", folder=str(folder))


def shipped(name: str) -> Source:
    return SHIPPED[name]()


class TestSources(SourceSuite):
    members = {
        "given": given,
        "idx": idx,
        "keras": cached,
        "npy": arrays_of_numpy,
        "npz": written,
        "pictures": pictures,
        "python": function,
        "table": table,
        "text_folder": lambda folder: TextFolder(files(folder, ".txt", "some words ")),
        "sequence_folder": lambda folder: SequenceFolder(files(folder, ".csv", "1,2\n3,4\n")),
        **{name: lambda folder, name=name: shipped(name) for name in SHIPPED},
    }


def test_every_source_is_held_to_it() -> None:
    assert set(TestSources.members) == set(SOURCES)
