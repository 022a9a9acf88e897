"""The training data of a run as tensors: mapped from files once a process, shared by trials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from evonas.data.prepared import FILES

Tensor = Any


@dataclass(frozen=True)
class TrainingData:
    """What a training learns from and what it is judged by, raw and in the arrays' own types.

    Attributes:
        x: (samples, ...).
        y: (samples,), class numbers or real targets.
        validation_x: (samples, ...).
        validation_y: (samples,).
    """

    x: Tensor
    y: Tensor
    validation_x: Tensor
    validation_y: Tensor

    @property
    def samples(self) -> int:
        """How many samples an epoch has."""
        shape = self.x.shape
        return int(shape[0])


class TensorCache:
    """Keeps the data of the latest run directory; files that have changed are mapped again."""

    def __init__(self) -> None:
        self._stamp: object = None
        self._data: TrainingData | None = None

    def get(self, directory: Path) -> TrainingData:
        """The training and validation data of a run.

        Raises:
            OSError: a file is missing or cannot be read.
            ValueError: a file is no array.
        """
        paths: list[Path] = []
        for part in ("train", "validation"):
            paths += [directory / name for name in FILES[part]]
        stamp = [_stamp(path) for path in paths]
        if self._data is None or stamp != self._stamp:
            # The old tensors are released first: memory may not hold the old and the new ones.
            self._data = None
            tensors = [load_tensor(path) for path in paths]
            self._data = TrainingData(*tensors)
            self._stamp = stamp
        return self._data


def _stamp(path: Path) -> tuple[Path, int, int, int]:
    """What differs when a file was replaced or changed."""
    stat = path.stat()
    return path, stat.st_ino, stat.st_size, stat.st_mtime_ns


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
