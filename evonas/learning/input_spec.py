"""What goes into a network: one raw sample, and what was fitted to the training data for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Fitted = Mapping[str, Any]
"""Fitted values by name, such as `mean` and `variance`: plain values of JSON, in tuples."""


@dataclass(frozen=True)
class InputSpec:
    """One input of every network of a run.

    Attributes:
        kind: how a sample is read: a name of `INPUT_KINDS`.
        shape: shape of one stored sample, such as (8, 8) or (28, 28, 3) or (30,).
        fitted: what was fitted to the training data. `mean` and `variance` have a number for each
            channel (image, sequence) or feature (vector). A variance is never 0: a constant feature
            has 1. An encoding adds what it needs, such as the words of each column.
        dtype: type in which samples are stored.
        name: name of the input in the Keras model.
        file: file with the fitted values, relative to the run's directory. It is empty if there is
            none, as in runs of older versions.
        encoding: how raw samples become stored ones: a name of `data.encodings`, and of
            `model.preprocessing`. Empty if they are stored as they are.
    """

    kind: str
    shape: tuple[int, ...]
    fitted: Fitted = field(default_factory=dict)
    dtype: str = "float32"
    name: str = "input"
    file: str = ""
    encoding: str = ""

    @classmethod
    def normalized(
        cls, kind: str, shape: tuple[int, ...], mean: Sequence[float], variance: Sequence[float]
    ) -> InputSpec:
        """An input whose columns are normalized by these means and variances."""
        return cls(kind, shape, {"mean": tuple(mean), "variance": tuple(variance)})

    @property
    def text(self) -> str:
        """The fitted values as canonical JSON, which is what their file holds."""
        return json.dumps(self.fitted, sort_keys=True, allow_nan=False)

    @property
    def digest(self) -> str:
        """The sha256 of the fitted values, and so of their file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        # Records are the same as before there were encodings.
        if not self.encoding:
            del data["encoding"]
        return data

    def by_digest(self) -> dict[str, Any]:
        """The same for a job: the digest stands for the fitted values, if they have a file."""
        data = self.to_json()
        return {**data, "fitted": self.digest} if self.file else data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> InputSpec:
        """The input that `to_json` was called on."""
        values = dict(data)
        # JSON has lists only, and a frozen value must hold tuples.
        values["shape"] = tuple(data["shape"])
        values["fitted"] = _frozen(data["fitted"])
        return cls(**values)


TAKEN = frozenset(("output", "flatten", "normalization", "columns", "features", "channel_axis"))
"""Names of layers that a model may have beside its inputs."""


def input_name(column: str) -> str:
    """The name of a column among the inputs of an exported model: its own, if Keras allows it."""
    # Keras takes no slash, and no two layers of one name. Other formats take less (`saved_model`).
    name = column.replace("/", "_")
    return f"{name}_" if name in TAKEN else name


def _frozen(value: Any) -> Any:
    """A value of JSON, with tuples for lists."""
    if isinstance(value, Mapping):
        return {name: _frozen(found) for name, found in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_frozen(found) for found in value)
    return value
