"""The training data of a run as tensors, mapped from their files once a process and shared by its trials."""

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
        return int(self.x.shape[0])


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
        paths = [directory / name for part in ("train", "validation") for name in FILES[part]]
        stats = [path.stat() for path in paths]
        stamp = [
            (path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
            for path, stat in zip(paths, stats, strict=True)
        ]
        if self._data is None or stamp != self._stamp:
            self._data = None  # the old data go before the new ones come
            self._data = TrainingData(*map(load_tensor, paths))
            self._stamp = stamp
        return self._data


def load_tensor(path: Path) -> Tensor:
    """An array file as a tensor, without a copy where there is no GPU: all workers share the pages of the file.

    `tf.convert_to_tensor` would copy twice. DLPack copies nothing, and asks for memory that may be written: the file is
    mapped copy-on-write, and never changes.
    """
    array = np.load(path, mmap_mode="c", allow_pickle=False)
    if tf.config.list_logical_devices("GPU") or not array.size or not array.flags.c_contiguous:
        return tf.convert_to_tensor(array)
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
