"""Samples that are numbers in one array: they are stored as they are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.checks import channels_first, check_samples
from evonas.data.encodings.encoding import Encoding
from evonas.data.encodings.ids import about_ids
from evonas.data.raw import Array, Raw, RawSamples
from evonas.data.room import stored_dtype
from evonas.errors import Issue
from evonas.learning.input_spec import Fitted


class AsIs(Encoding):
    """Only the type may change."""

    name = ""

    def takes(self, x: RawSamples, kind: str) -> bool:
        return not isinstance(x, Raw)

    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        if isinstance(arrays.x, Raw):
            message = f"the space wants {kind} input. Received: {arrays.x.words}."
            return [Issue(message, "x", arrays.origin)]
        return check_samples(arrays, kind)

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        assert isinstance(arrays.x, np.ndarray), "others are not stored as they are"
        return (*channels_first(arrays.x, kind), *about_ids(arrays.x, kind))

    def fit(self, train: RawSamples) -> Fitted:
        return {}

    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        assert isinstance(x, np.ndarray), "others are not stored as they are"
        return x

    def dtype(self, found: Iterable[RawSamples]) -> np.dtype[np.generic]:
        return stored_dtype(x.dtype for x in found if isinstance(x, np.ndarray))
