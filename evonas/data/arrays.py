"""What a source gives: samples and targets as they were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from evonas.data.raw import Array, Raw, RawSamples

GivenPart = Literal["validation", "test"]

KEYS = ("x", "y", "x_test", "y_test", "x_val", "y_val", "groups", "time", "sample_weight")
"""The arrays that a source may give."""

GIVEN: Mapping[GivenPart, tuple[str, str]] = {
    "validation": ("x_val", "y_val"),
    "test": ("x_test", "y_test"),
}
"""Part -> its samples and targets, if the source has split it off itself."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """Samples as they were found.

    Attributes:
        origin: path of the file or name of the data set, for messages.
        x: samples, an array (n, ...), or raw samples that an encoding makes one of.
        y: targets, (n,), or (n, targets) if a sample has several.
        x_test: samples of the source's own test set; None if the test data are to be split off.
        y_test: targets of that test set, or None.
        x_val: samples that the source gives for validation, or None.
        y_val: targets of these, or None.
        groups: (n,), what samples have in common: those of one group stay in one part. Or None.
        time: (n,), when each sample was taken, or None.
        notes: what the source has inferred of the samples, a sentence each, for the user.
        schema: how a table was read, as plain JSON, so that another one can be read alike. Or None.
        sample_weight: (n,), what each sample of `x` counts in the training and in the scores, or
            None if all count the same. Samples of a given part count the same.
        target_names: a name for each column of `y`, or none at all.
        are_apart: whether the source has seen that no sample of a given part is in a group of `x`.
    """

    origin: str
    x: RawSamples
    y: Array
    x_test: RawSamples | None = None
    y_test: Array | None = None
    x_val: RawSamples | None = None
    y_val: Array | None = None
    groups: Array | None = None
    time: Array | None = None
    notes: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    sample_weight: Array | None = None
    target_names: tuple[str, ...] = ()
    are_apart: bool = False

    def __post_init__(self) -> None:
        named = self.named()
        for item in fields(self):
            value = getattr(self, item.name)
            is_known = item.name in named or (value is None and item.name not in ("x", "y"))
            if item.name in KEYS and not is_known:
                kind = type(value).__name__
                raise TypeError(f"{item.name} must be a NumPy array. Received: {kind}.")
        names: Any = self.target_names
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"target_names must be a tuple of words. Received: {names!r}.")
        for x, y in GIVEN.values():
            if (x in named) != (y in named):
                raise ValueError(f"{x} and {y} go together. Received: one of them.")

    def named(self) -> dict[str, Any]:
        """The arrays that are not None, by the names that messages use. An `x` may be `Raw`."""
        found = {}
        for item in fields(self):
            array = getattr(self, item.name)
            is_raw = item.name.startswith("x") and isinstance(array, Raw)
            # The origin is a word, and what is not there is None.
            if isinstance(array, np.ndarray) or is_raw:
                found[item.name] = array
        return found

    def samples(self) -> dict[str, Any]:
        """All samples by name: `x` first, then those of the parts that are given."""
        return {key: array for key, array in self.named().items() if key.startswith("x")}

    def given(self, part: GivenPart) -> tuple[RawSamples, Array] | None:
        """Samples and targets of a part that the source has split off itself; or None."""
        arrays = self.named()
        names = GIVEN[part]
        if names[0] not in arrays:
            return None
        return arrays[names[0]], arrays[names[1]]


def locked(array: Array) -> Array:
    """The same values, which cannot be written: they are still needed as they are."""
    view = array.view()
    view.flags.writeable = False
    return view
