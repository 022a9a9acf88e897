"""The data of a run as tensors: loaded once, again when they have changed, or batch by batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from evonas.evaluate.training.tensors import (
    Samples,
    StoredSamples,
    TensorCache,
    TrainingData,
    WholeSamples,
)
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from tests.evaluate.training.networks import Given, convnet, make_loop, parted

DIGITS = Interface(
    InputSpec.normalized("image", (8, 8), (4.9,), (36.2,)), "classification", tuple(range(10))
)


def given(factor: int = 1) -> Given:
    return Given(
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * factor,
        np.array([0, 1], np.int32),
        np.arange(36, dtype=np.float32).reshape(3, 3, 4),
        np.array([1.5, 2.5, 3.5]),
    )


def values(samples: Samples, *positions: int) -> tuple[np.ndarray, np.ndarray]:
    x, y, weights = samples.batch(tf.constant(positions))
    assert weights is None
    return x.numpy(), y.numpy()


@pytest.mark.parametrize(
    ("most", "member"), [(None, WholeSamples), (10**6, WholeSamples), (100, StoredSamples)]
)
def test_data_are_loaded_once_in_their_own_types(
    most: int | None, member: type[Samples], tmp_path: Path
) -> None:
    arrays = given()
    arrays.write(tmp_path)
    cache = TensorCache()
    data = cache.get(tmp_path, most)
    assert isinstance(data.train, member)
    assert isinstance(data.validation, member)
    assert (data.train.count, data.validation.count) == (2, 3)
    found = (*values(data.train, 1, 0, 1), *values(data.validation, 2, 0))
    expected = (arrays.x[[1, 0, 1]], arrays.y[[1, 0, 1]])
    expected += (arrays.validation_x[[2, 0]], arrays.validation_y[[2, 0]])
    for array, other in zip(found, expected, strict=True):
        assert array.dtype == other.dtype
        assert np.array_equal(array, other)
    assert cache.get(tmp_path, most) is data


@pytest.mark.parametrize("most", [None, 0])
def test_data_that_have_changed_are_loaded_again(most: int | None, tmp_path: Path) -> None:
    given().write(tmp_path)
    cache = TensorCache()
    old = cache.get(tmp_path, most)
    (tmp_path / "data/x_train.npy").unlink()
    changed = given(factor=2)
    changed.write(tmp_path)
    assert np.array_equal(values(cache.get(tmp_path, most).train, 1)[0], changed.x[1:])
    # What is open outlives its name.
    assert values(old.train, 1)[0][0, 0, 0] == 12


def test_data_in_files_give_the_same_training_bit_for_bit(tmp_path: Path) -> None:
    x, y = load_digits(return_X_y=True)
    parted(x.astype(np.float32).reshape(-1, 8, 8), y.astype(np.int32), 1500).write(tmp_path)
    order = np.random.default_rng(0).permutation(1500).astype(np.int32)

    def trained(data: TrainingData) -> tuple[list[float], list[bytes]]:
        _, loop = make_loop(lambda: convnet(size=8, classes=10), data=data, interface=DIGITS)
        numbers: list[float] = []
        with loop.at_work():
            for _ in range(2):
                numbers += loop.run(order)
                numbers.append(float(loop.validate().sum()))
        arrays = [*loop.model_state(), *loop.optimizer_state()]
        return numbers, [array.tobytes() for array in arrays]

    whole = trained(TensorCache().get(tmp_path))
    stored = TensorCache().get(tmp_path, most=0)
    assert isinstance(stored.train, StoredSamples)
    assert trained(stored) == whole
