"""`data: {path: ...}`: what is there is found by its content, and read by the source for it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.sources.by_path import ByPath, kind_at
from evonas.data.sources.idx import Idx
from evonas.data.sources.npy import Npy
from evonas.data.sources.npz import Npz
from evonas.data.tables.content import read_bytes
from evonas.errors import InvalidData
from evonas.memory import Memory

X = np.arange(48, dtype=np.uint8).reshape(6, 4, 2)
Y = np.arange(6, dtype=np.uint8) % 2


def idx(array: np.ndarray[Any, Any]) -> bytes:
    """An array of bytes as an idx file."""
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def mnist(folder: Path, parts: tuple[str, ...] = ("train", "t10k")) -> Path:
    folder.mkdir(exist_ok=True)
    for part in parts:
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(X)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(Y))
    return folder


def read(path: Path, **settings: Any) -> Any:
    return ByPath(str(path), settings).read(Memory())


def test_the_four_files_of_mnist_have_a_test_part(tmp_path: Path) -> None:
    arrays = read(mnist(tmp_path / "mnist"))
    assert np.array_equal(arrays.x, X)
    assert np.array_equal(arrays.y_test, Y)
    assert "x from train-images-idx3-ubyte.gz, y from train-labels" in arrays.notes[0]


def test_one_idx_file_has_its_labels_beside_it(tmp_path: Path) -> None:
    folder = mnist(tmp_path / "mnist")
    arrays = read(folder / "train-images-idx3-ubyte.gz")
    assert arrays.x_test is None
    assert np.array_equal(arrays.y, Y)


def test_idx_values_of_several_bytes_are_big_endian(tmp_path: Path) -> None:
    values = np.array([1.5, -2.0], ">f4")
    (tmp_path / "x").write_bytes(bytes([0, 0, 0x0D, 1, 0, 0, 0, 2]) + values.tobytes())
    (tmp_path / "labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 0, 1]))
    arrays = read(tmp_path / "x", target="labels")
    assert arrays.x.tolist() == [1.5, -2.0]
    assert arrays.x.dtype == np.float32


def test_npy_files_are_mapped(tmp_path: Path) -> None:
    for name, array in {"x": X, "y": Y, "x_test": X, "y_test": Y, "photos": X}.items():
        np.save(tmp_path / f"{name}.npy", array)
    arrays = read(tmp_path)
    assert np.array_equal(arrays.x_test, X)
    assert isinstance(arrays.x.base, np.memmap)
    assert read(tmp_path / "photos.npy").x_test is None
    assert read(tmp_path / "photos.npy", target="y_test.npy").y.tolist() == Y.tolist()


def test_an_npz_is_known_by_its_content(tmp_path: Path) -> None:
    with (tmp_path / "data").open("wb") as file:
        np.savez(file, x=X, y=Y)
    assert kind_at(tmp_path / "data") is Npz
    assert kind_at(mnist(tmp_path / "m")) is Idx
    np.save(tmp_path / "x.npy", X)
    assert kind_at(tmp_path / "x.npy") is Npy


def nothing(folder: Path) -> Path:
    return folder / "nothing"


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def unknown(folder: Path) -> Path:
    (folder / "data.docx").write_bytes(b"PK\x03\x04 and so on")
    return folder / "data.docx"


def empty_file(folder: Path) -> Path:
    (folder / "data.csv2").touch()
    return folder / "data.csv2"


def two_sets(folder: Path) -> Path:
    mnist(folder)
    for name in ("images-idx3", "labels-idx1"):
        (folder / f"emnist-train-{name}-ubyte").write_bytes(idx(Y))
    return folder


def half_a_test(folder: Path) -> Path:
    (mnist(folder) / "t10k-labels-idx1-ubyte").unlink()
    return folder


def short_idx(folder: Path) -> Path:
    path = mnist(folder) / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-2])
    return folder


def damaged_gzip(folder: Path) -> Path:
    path = mnist(folder) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    return folder


def labels_alone(folder: Path) -> Path:
    return mnist(folder) / "train-labels-idx1-ubyte"


def no_y(folder: Path) -> Path:
    np.save(folder / "x.npy", X)
    np.save(folder / "Y.npy", Y)
    return folder


def objects(folder: Path) -> Path:
    np.save(folder / "x.npy", np.array([{}, None]), allow_pickle=True)
    np.save(folder / "y.npy", Y)
    return folder


def short_npy(folder: Path) -> Path:
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    (folder / "x.npy").write_bytes((folder / "x.npy").read_bytes()[:-3])
    return folder


def other_files(folder: Path) -> Path:
    (folder / "notes.md").write_text("nothing")
    return folder


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nothing": (nothing, "there is no such file or folder. Allowed: an .npz file"),
    "empty folder": (empty_folder, "is an empty folder. Allowed: "),
    "other files": (other_files, "is a folder of nothing that is known. It holds notes.md"),
    "unknown": (unknown, "is of no known kind: .docx, and it begins with"),
    "empty file": (empty_file, "is an empty file"),
    "two sets": (two_sets, "holds 2 data sets: emnist and without a first word"),
    "half a test": (half_a_test, "lacks y_test. Allowed: train-images-idx3-ubyte"),
    "short": (short_idx, r"shape \(6,\), which is 6 bytes. Received: 4"),
    "gzip": (damaged_gzip, "train-images-idx3-ubyte.gz: cannot be read: Compressed file ended"),
    "labels": (labels_alone, "holds labels. Write the file of the images"),
    "no y": (no_y, "y: this array is missing: y.npy in the same folder, or its name under"),
    "objects": (objects, "x.npy: holds Python objects"),
    "short npy": (short_npy, "x.npy: is damaged or cut short"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said(case: str, tmp_path: Path) -> None:
    make, words = BAD[case]
    with pytest.raises(InvalidData, match=words):
        read(make(tmp_path))


def test_a_setting_without_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"data.size: has no effect on an idx file"):
        read(mnist(tmp_path), size=(8, 8))


def test_a_folder_in_the_place_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("a,churn\n1,0\n")
    holds = rf"The folder holds customers.csv; write the path of the file: {tmp_path}/customers.csv"
    with pytest.raises(InvalidData, match=f"data.target: tells of a table, .*{holds}"):
        read(tmp_path, target="churn")
    with pytest.raises(InvalidData, match=f"If one table is meant: t{holds[1:]}"):
        read(tmp_path)
    with pytest.raises(InvalidData, match=f"is a folder, and a file with a table is .*{holds}"):
        read_bytes(tmp_path, Memory())
    for name in ("d.csv", "e.csv", "f.tsv"):
        (tmp_path / name).write_text("a,churn\n1,0\n")
    with pytest.raises(InvalidData, match=r"holds customers.csv, d.csv, e.csv and 1 more; write"):
        read(tmp_path, target="churn")
    (tmp_path / "labels.csv").write_text("path,label\nd.csv,a\n")
    with pytest.raises(InvalidData, match=r"data.target: has no effect on a folder of sequences"):
        read(tmp_path, target="churn")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "t.parquet").touch()
    with pytest.raises(InvalidData, match=r"nothing that is known. The folder holds t.parquet;"):
        read(tmp_path / "p")


def test_a_path_that_is_gone_has_no_mark(tmp_path: Path) -> None:
    assert ByPath(str(tmp_path / "gone")).mark() == {}
