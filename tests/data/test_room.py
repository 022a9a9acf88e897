"""Room: a file is refused before it is unpacked if memory cannot hold what it becomes."""

from __future__ import annotations

import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.prepared import DataSettings, prepare
from evonas.data.room import WORK_PER_VALUE, WORKSPACE, Header, read_header
from evonas.data.sources import Npz
from evonas.data.sources.npz import load_npz
from evonas.errors import InvalidData
from evonas.memory import Memory

MIB = 2**20


def with_free(count: int, folder: Path) -> Memory:
    """A machine with this many free bytes, and without cgroups."""
    return Memory(proc=folder / "none", cgroups=folder / "none", available=lambda: count)


def header(shape: tuple[int, ...], dtype: str = "|i1") -> bytes:
    out = BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return out.getvalue()


def packed_zeros(path: Path, count: int, claimed: int) -> None:
    """A file with this many zeros, whose header claims another number of them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header((claimed // 1024, 1024)) + bytes(count))
        archive.writestr("y.npy", header((4,)) + bytes(4))


def test_a_small_file_of_many_zeros_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "zeros.npz"
    packed_zeros(path, 16 * MIB, 16 * MIB)
    assert path.stat().st_size < MIB
    tracemalloc.start()
    with pytest.raises(InvalidData) as caught:
        load_npz(path, with_free(100 * MIB, tmp_path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * MIB
    (issue,) = caught.value.problems
    assert (issue.key, issue.file) == ("x", str(path))
    assert "shape (16384, 1024) of int8, 16.0 MiB unpacked" in issue.message
    assert "Free on this machine: 100.0 MiB" in issue.message
    assert caught.value.exit_code == 2


def test_a_header_that_claims_more_than_there_is_is_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "lie.npz"
    packed_zeros(path, 1024, 10**9 * 1024)
    with pytest.raises(InvalidData, match="x: is damaged or cut short: its header says more"):
        load_npz(path, with_free(100 * MIB, tmp_path))


def test_a_shape_that_is_no_shape_is_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "lie.npz"
    forged = header((1, 4)).replace(b"(1, 4), }   ", b"(True, 4), }")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", forged + bytes(4))
        archive.writestr("y.npy", header((1,)) + bytes(1))
    with pytest.raises(InvalidData, match="x: is damaged"):
        load_npz(path, with_free(100 * MIB, tmp_path))


@pytest.mark.parametrize(
    ("dtype", "bytes_a_value"),
    [
        # As given, as 32-bit floats if it is none or as bytes, and in the parts of the split.
        (np.float64, 8 + 4 + 4),
        (np.float32, 4 + 4),
        (np.int8, 1 + 4 + 4),
        (np.uint8, 1 + 1),
    ],
)
def test_what_it_takes_is_known_to_the_byte(tmp_path: Path, dtype: Any, bytes_a_value: int) -> None:
    path = tmp_path / "data.npz"
    x = (np.arange(60 * 50) % 100).reshape(60, 50).astype(dtype)
    np.savez(path, x=x, y=np.arange(60) % 3)
    targets = 60 * (8 + 8 + 8)
    needed = x.size * bytes_a_value + targets + (x.size + 60) * WORK_PER_VALUE
    # The targets are 64-bit integers, which become class numbers or 64-bit floats.
    settings = DataSettings("vector", Npz(str(path)))
    prepare(settings, tmp_path / "run", with_free(needed, tmp_path))
    with pytest.raises(InvalidData, match="x: is too large"):
        prepare(settings, tmp_path / "other", with_free(needed - 1, tmp_path))


def test_a_test_set_counts_and_is_not_split(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    x = np.zeros((1000, 3000), np.float32)
    y = np.arange(1000) % 3
    np.savez_compressed(path, x=x, y=y, x_test=x, y_test=y)
    # The three copies of x and x_test, without those of the targets.
    needed = 3 * x.nbytes + WORKSPACE
    load_npz(path, with_free(needed + MIB, tmp_path))
    with pytest.raises(InvalidData, match="x: is too large"):
        load_npz(path, with_free(needed, tmp_path))


def test_a_negative_length_makes_up_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    packed_zeros(path, 4 * MIB, 4 * MIB)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_test.npy", header((-(10**12),)))
        archive.writestr("y_test.npy", header((4,), "(1000,)<f4") + bytes(16_000))
    with pytest.raises(InvalidData, match="x: is too large"):
        load_npz(path, with_free(MIB, tmp_path))


def test_a_type_that_is_an_array_counts_each_value(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header((4,), "(1000,)|i1") + bytes(4000))
        read = read_header(archive, "x")
    assert read == Header((4,), np.dtype(np.int8), 4000)


def test_an_empty_array_takes_no_room(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros((0, 4)), y=np.zeros(0, "U1"))
    assert load_npz(path, with_free(0, tmp_path)).x.size == 0
