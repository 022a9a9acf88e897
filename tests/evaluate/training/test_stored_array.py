"""Rows of a file are read as they are, and do not stay in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest

from evonas.evaluate.training.stored_array import StoredArray

MIB = 2**20


def rows(*positions: int) -> np.ndarray:
    return np.array(positions, np.int32)


@pytest.mark.parametrize("shape", [(5,), (5, 3, 2)])
def test_rows_are_those_of_the_array_in_its_own_type(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    np.save(tmp_path / "x.npy", array)
    stored = StoredArray(tmp_path / "x.npy")
    assert (stored.shape, stored.dtype) == (shape[1:], np.int16)
    assert np.array_equal(stored.take(rows(4, 0, 4)), array[[4, 0, 4]])
    assert stored.take(rows()).shape == (0, *shape[1:])
    for outside in (5, -1):
        with pytest.raises(IndexError, match=f"has 5 rows. Received: {outside}"):
            stored.take(rows(0, outside))


def test_a_file_that_was_read_whole_is_not_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((64, MIB), np.uint8))
    stored = StoredArray(tmp_path / "x.npy")
    process = psutil.Process()
    before = process.memory_info().rss
    total = 0
    for start in range(0, 64, 4):
        total += int(stored.take(np.arange(start, start + 4, dtype=np.int32)).sum())
    assert total == 64 * MIB
    assert process.memory_info().rss - before < 16 * MIB


def test_what_is_no_array_in_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="pickle"):
        StoredArray(tmp_path / "x.npy")
    with pytest.raises(FileNotFoundError):
        StoredArray(tmp_path / "none.npy")
    np.save(tmp_path / "x.npy", np.asfortranarray(np.ones((3, 4))))
    with pytest.raises(ValueError, match="C order"):
        StoredArray(tmp_path / "x.npy")


def test_a_file_that_was_cut_is_no_data(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((10, 100)))
    stored = StoredArray(tmp_path / "x.npy")
    with (tmp_path / "x.npy").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(OSError, match="could not be read at byte"):
        stored.take(rows(9))
