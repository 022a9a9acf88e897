"""The training data of a run as tensors: loaded once a process, shared by trials."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from evonas.data.prepared import FILES, FOLDS, WEIGHTS
from evonas.data.splits import Part
from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.stored_array import StoredArray

Tensor = Any


class Samples(ABC):
    """The samples of one part of the data, raw and in the array's own type, with their targets.

    Both members give the same values. They differ in where the samples are.

    Args:
        y: (samples,) or (samples, targets), class numbers, labels or real targets.
        weights: (samples,), what each sample counts; None if all count the same.
    """

    def __init__(self, y: Tensor, weights: Tensor | None = None) -> None:
        self.y = y
        self.weights = weights

    @property
    def count(self) -> int:
        """How many samples there are."""
        return int(self.y.shape[0])

    def batch(self, positions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """The samples at these positions, their targets and their weights.

        It may be called while a function is traced.

        Args:
            positions: (batch,), whole numbers of 32 bits.

        Returns:
            (batch, ...), then (batch,) or (batch, targets), then (batch,), or None if all samples
            count the same.
        """
        weights = None if self.weights is None else tf.gather(self.weights, positions)
        return self._take(positions), tf.gather(self.y, positions), weights

    def weighted(self, weights: Array) -> Self:
        """The same samples, each of which counts so many times as much.

        Args:
            weights: (samples,).
        """
        more = tf.constant(weights, tf.float32)
        other = copy.copy(self)
        other.weights = more if self.weights is None else self.weights * more
        return other

    @abstractmethod
    def _take(self, positions: Tensor) -> Tensor: ...


class WholeSamples(Samples):
    """Samples in one tensor: in the memory of a GPU, or in pages of a file that workers share.

    Args:
        x: (samples, ...).
    """

    def __init__(self, x: Tensor, y: Tensor, weights: Tensor | None = None) -> None:
        super().__init__(y, weights)
        self._x = x

    def _take(self, positions: Tensor) -> Tensor:
        return tf.gather(self._x, positions)


class StoredSamples(Samples):
    """Samples in a file, of which a batch at a time is in memory.

    Args:
        x: array of (samples, ...).
    """

    def __init__(self, x: StoredArray, y: Tensor, weights: Tensor | None = None) -> None:
        super().__init__(y, weights)
        self._x = x

    def _take(self, positions: Tensor) -> Tensor:
        # It has no state, so nothing in the graph has to wait for it.
        taken = tf.numpy_function(self._x.take, [positions], self._x.dtype, stateful=False)
        # TensorFlow knows nothing of the result but its type.
        taken.set_shape((*positions.shape, *self._x.shape))
        return taken


@dataclass(frozen=True)
class TrainingData:
    """What a training learns from, and what it is judged by.

    Attributes:
        train: samples to learn from.
        validation: samples to be judged by. With folds, these are the same ones.
        fold_of: (samples,), the number of the fold in which each sample is for validation; None
            without folds.
    """

    train: Samples
    validation: Samples
    fold_of: NDArray[np.integer] | None = None

    @property
    def samples(self) -> int:
        """How many samples a network learns from; with folds, in the largest of them."""
        if self.fold_of is None:
            return self.train.count
        smallest = int(np.bincount(self.fold_of).min())
        return self.train.count - smallest


class TensorCache:
    """Keeps the data of the latest run directory; files that have changed are loaded again."""

    def __init__(self) -> None:
        self._key: object = None
        self._data: TrainingData | None = None

    def get(
        self, directory: Path, most: int | None = None, has_folds: bool = False
    ) -> TrainingData:
        """The training and validation data of a run.

        Args:
            has_folds: whether the training data are in folds, which take turns at validation.
            most: bytes that the samples may take as whole tensors. More of them are read batch by
                batch. None for no limit.

        Raises:
            OSError: a file is missing or cannot be read.
            ValueError: a file is no array in C order.
        """
        parts: tuple[Part, ...] = ("train",) if has_folds else ("train", "validation")
        paths = [directory / name for part in parts for name in FILES[part]]
        if has_folds:
            paths.append(directory / FOLDS)
        weights = {part: directory / WEIGHTS[part] for part in parts}
        # Only data with weights have files of them.
        there = [path for path in weights.values() if path.exists()]
        key = [most, *map(_stamp, (*paths, *there))]
        if self._data is None or key != self._key:
            # The old tensors are released first: memory may not hold the old and the new ones.
            self._data = None
            size = sum(path.stat().st_size for path in paths)
            is_stored = most is not None and size > most
            x, y, *others = paths
            train = _load(x, y, weights["train"], is_stored)
            if has_folds:
                fold_of = np.load(directory / FOLDS, allow_pickle=False)
                self._data = TrainingData(train, train, fold_of)
            else:
                x, y = others
                validation = _load(x, y, weights["validation"], is_stored)
                self._data = TrainingData(train, validation)
            self._key = key
        return self._data


def _stamp(path: Path) -> tuple[Path, int, int, int]:
    """What differs when a file was replaced or changed."""
    stat = path.stat()
    return path, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _load(x: Path, y: Path, weights: Path, is_stored: bool) -> Samples:
    # The targets and the weights are few bytes a sample.
    targets = load_tensor(y)
    counts = load_tensor(weights) if weights.exists() else None
    if is_stored:
        return StoredSamples(StoredArray(x), targets, counts)
    return WholeSamples(load_tensor(x), targets, counts)


def load_tensor(path: Path) -> Tensor:
    """An array file as a tensor. Without a GPU nothing is copied: workers share its pages."""
    # DLPack asks for memory that may be written. Under mode "c" a write would change a private
    # copy of the page, and never the file.
    array = np.load(path, mmap_mode="c", allow_pickle=False)
    has_gpu = bool(tf.config.list_logical_devices("GPU"))
    # TensorFlow refuses another order than C's from DLPack.
    if has_gpu or not array.size or not array.flags.c_contiguous:
        return tf.convert_to_tensor(array)
    # `tf.convert_to_tensor` would copy the array twice here; DLPack copies nothing.
    capsule = array.__dlpack__()
    return tf.experimental.dlpack.from_dlpack(capsule)
