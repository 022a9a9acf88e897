"""A table for spaces that take vectors: numbers, and a column of 0 and 1 for each word."""

from __future__ import annotations

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.encodings.encoding import Encoding
from evonas.data.encodings.table import (
    FIRST,
    coded,
    fitted_columns,
    frame_issues,
    frame_notes,
)
from evonas.data.raw import Array, Frame, RawSamples
from evonas.errors import Issue
from evonas.learning.input_kinds.vector import VECTOR
from evonas.learning.input_spec import Fitted

MOST_WORDS = 64
"""The most words of a column that have a feature of their own."""


class OneHot(Encoding):
    """Stored samples are (n, features) of 32-bit floats, without gaps.

    The features, in the order of the columns: for numbers the value, with the mean of the training
    part for a gap, and behind it 1 for a gap if the training part has gaps; for words one feature
    for a gap, one for an unknown word, and one for each word.

    Fitted is `columns`, as in `table.py`.
    """

    name = "one_hot"

    def takes(self, x: RawSamples, kind: str) -> bool:
        return isinstance(x, Frame) and kind == VECTOR.name

    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        return frame_issues(arrays)

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        return frame_notes(fitted["columns"])

    def fit(self, train: RawSamples) -> Fitted:
        return {"columns": tuple(fitted_columns(train, MOST_WORDS))}

    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        assert isinstance(x, Frame), "others are not taken"
        features: list[Array] = []
        for one in fitted["columns"]:
            values = coded(x.columns[one["name"]], one)
            if "words" in one:
                places = np.arange(FIRST + len(one["words"]))
                features.append(values[:, np.newaxis] == places)
                continue
            gaps = np.isnan(values)
            features.append(np.where(gaps, np.float32(one["mean"]), values)[:, np.newaxis])
            if one["has_gaps"]:
                features.append(gaps[:, np.newaxis])
        return np.concatenate(features, axis=1).astype(np.float32)
