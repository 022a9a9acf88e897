"""Made-up samples for an input: what a network is tried with before any real one."""

from __future__ import annotations

import numpy as np

from evonas.learning.formulas import Array
from evonas.learning.input_kinds.table import TABLE
from evonas.learning.input_spec import InputSpec

GAPS_EVERY = 3
"""Every third sample has gaps, in columns of numbers that have some."""


def examples(spec: InputSpec, rng: np.random.Generator, count: int) -> Array:
    """Stored samples (count, *shape) about the mean of the data, with words that are known."""
    if spec.kind == TABLE.name:
        return _rows(spec, rng, count)
    if "vocabulary" in spec.fitted:
        known = 2 + len(spec.fitted["vocabulary"])
        return rng.integers(1, known, (count, *spec.shape)).astype(np.int32)
    scale = np.sqrt(np.array(spec.fitted["variance"], dtype=np.float32))
    mean = np.array(spec.fitted["mean"], dtype=np.float32)
    # An image of two axes has one channel and no axis for it.
    if len(mean) == 1:
        mean = mean[0]
        scale = scale[0]
    drawn = rng.normal(size=(count, *spec.shape)).astype(np.float32)
    return drawn * scale + mean


def _rows(spec: InputSpec, rng: np.random.Generator, count: int) -> Array:
    columns = []
    for one in spec.fitted["columns"]:
        if "words" in one:
            column = rng.integers(0, 2 + len(one["words"]), count).astype(np.float32)
        else:
            deviation = np.sqrt(one["variance"])
            column = (rng.normal(size=count) * deviation + one["mean"]).astype(np.float32)
            if one["has_gaps"]:
                column[::GAPS_EVERY] = np.nan
        columns.append(column)
    return np.stack(columns, axis=1)
