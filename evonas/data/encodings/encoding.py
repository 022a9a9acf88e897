"""The contract of an encoding. `table.py` is an example."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, RawSamples
from evonas.errors import Issue
from evonas.learning.input_spec import Fitted


class Encoding(ABC):
    """How raw samples become stored ones: one array, whose rows networks train on.

    It runs in the driver, once a run. The layers of the same name in `evonas.model.preprocessing`
    do the same within an exported model, so that its file takes raw samples.

    Class attributes:
        name: its name in the record; empty for samples that are stored as they are.
    """

    name: ClassVar[str]

    @abstractmethod
    def takes(self, x: RawSamples, kind: str) -> bool:
        """Whether it is for such samples, and for spaces with this kind of input."""

    @abstractmethod
    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        """What is wrong with the samples, all at once; the targets are checked elsewhere."""

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        """What is allowed and probably not meant, a sentence each, for the user."""
        return ()

    @abstractmethod
    def fit(self, train: RawSamples) -> Fitted:
        """What the encoding must know of the training part, as plain values of JSON.

        No other part may be looked at: they stand for unseen samples.
        """

    @abstractmethod
    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        """The stored samples (n, ...); a sample's row depends on nothing but the sample."""

    def codes(self, fitted: Fitted) -> dict[int, int]:
        """The columns of stored samples that hold codes, and how many codes each of them has."""
        return {}

    def words(self, fitted: Fitted) -> int:
        """How many numbers words can have, if stored samples are numbers of words; otherwise 0."""
        return 0

    def dtype(self, found: Iterable[RawSamples]) -> np.dtype[np.generic]:
        """The type in which all samples are stored."""
        return np.dtype(np.float32)
