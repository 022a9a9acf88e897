"""Samples that come after a run, for its model to answer: read as the run's own data were."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.checks import check_given
from evonas.data.encodings import ENCODINGS
from evonas.data.raw import RawSamples
from evonas.data.sources.npz import samples_in
from evonas.data.tables.reading import read_like
from evonas.data.tables.schema import Schema
from evonas.errors import InvalidData, Issue
from evonas.learning.input_spec import InputSpec
from evonas.memory import Memory


def new_samples(path: Path, spec: InputSpec, memory: Memory) -> RawSamples:
    """The samples in a file of the kind that the run's data came from. Targets are not needed.

    Args:
        path: path of the file.
        spec: input of the model.

    Raises:
        InvalidData: the file cannot be read, or its samples are of another kind than the run's.
    """
    if schema := spec.fitted.get("schema"):
        return read_like(Schema.from_json(schema), path, memory)
    x: RawSamples = samples_in(path, memory)
    issues = []
    if spec.encoding:
        # Only the samples are looked at: there are no targets.
        arrays = Arrays(str(path), x, np.zeros(len(x)))
        issues = ENCODINGS[spec.encoding].issues(arrays, spec.kind)
    elif isinstance(x, np.ndarray):
        issues = check_given(x, spec.shape, spec.kind, str(path))
    if issues:
        raise InvalidData(issues)
    if not len(x):
        raise InvalidData(Issue("holds no sample.", file=str(path)))
    return x
