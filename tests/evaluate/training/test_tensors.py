"""The data of a run as tensors: mapped once, and again when they have changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.tensors import TensorCache


def write_data(directory: Path, factor: int = 1) -> dict[str, Array]:
    arrays: dict[str, Array] = {
        "x_train": np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * factor,
        "y_train": np.array([0, 1], np.int32),
        "x_validation": np.asfortranarray(np.ones((3, 3, 4), np.float32)),
        "y_validation": np.array([1.5, 2.5, 3.5], np.float32),
    }
    (directory / "data").mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(directory / "data" / f"{name}.npy", array)
    return arrays


def test_data_are_loaded_once_in_their_own_types(tmp_path: Path) -> None:
    arrays = write_data(tmp_path)
    cache = TensorCache()
    data = cache.get(tmp_path)
    for tensor, array in zip(
        (data.x, data.y, data.validation_x, data.validation_y), arrays.values(), strict=True
    ):
        assert tensor.dtype.as_numpy_dtype == array.dtype
        assert np.array_equal(tensor.numpy(), array)
    assert data.samples == 2
    assert cache.get(tmp_path) is data


def test_data_that_have_changed_are_loaded_again(tmp_path: Path) -> None:
    write_data(tmp_path)
    cache = TensorCache()
    old = cache.get(tmp_path)
    (tmp_path / "data/x_train.npy").unlink()
    arrays = write_data(tmp_path, factor=2)
    assert np.array_equal(cache.get(tmp_path).x.numpy(), arrays["x_train"])
    assert old.x.numpy()[1, 0, 0] == 12  # what is mapped outlives its name
