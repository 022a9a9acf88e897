"""A table for spaces that take vectors: numbers, and a column of 0 and 1 for each word."""

from __future__ import annotations

import numpy as np

from evonas.data.encodings.table import FIRST, FrameEncoding, coded
from evonas.data.raw import Array, Frame, RawSamples
from evonas.learning.input_kinds.vector import VECTOR
from evonas.learning.input_spec import Fitted


class OneHot(FrameEncoding):
    """Stored samples are (n, features) of 32-bit floats, without gaps.

    The features, in the order of the columns: for numbers the value, with the mean of the training
    part for a gap, and behind it 1 for a gap if the training part has gaps; for words one feature
    for a gap, one for an unknown word, and one for each word.

    Fitted is `columns`, as in `table.py`.
    """

    name = "one_hot"
    kind = VECTOR.name
    most_words = 64

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
