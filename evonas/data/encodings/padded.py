"""Sequences of different length: one array with NaN behind the last step of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.checks import LARGEST
from evonas.data.encodings.encoding import Encoding
from evonas.data.encodings.ids import about_ids
from evonas.data.raw import Array, Ragged, RawSamples
from evonas.errors import Issue
from evonas.learning.input_spec import Fitted
from evonas.words import counted

NO_STEP = "has no step: a sequence needs at least one."


class Padded(Encoding):
    """Stored samples are (n, length, channels) of 32-bit floats; steps of NaN are padding.

    A source gives `Ragged` sequences, or an array that is padded so already. The length is that of
    the longest sequence of the training part. A longer one loses its end.

    Fitted are `length` and `channels`.
    """

    name = "padded"

    def takes(self, x: RawSamples, kind: str) -> bool:
        if kind != "sequence":
            return False
        if isinstance(x, np.ndarray):
            return x.dtype.kind == "f" and x.ndim in (2, 3) and bool(np.isnan(x).any())
        return isinstance(x, Ragged)

    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        samples = arrays.samples()
        channels = _channels(samples["x"])
        found = []
        for key, x in samples.items():
            found += _issues(x, key, channels, arrays.origin)
        return found

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        lengths = np.concatenate([_lengths(x) for x in arrays.samples().values()])
        length = fitted["length"]
        notes = [
            f"x: sequences of {lengths.min()} to {lengths.max()} steps, padded to {length}; no"
            " network sees the padding."
        ]
        cut = int((lengths > length).sum())
        if cut:
            sequences = counted(cut, "sequence")
            notes.append(
                f"x: {sequences} of {len(lengths):,} have more than {length} steps, which the"
                f" longest of the training part has. Networks see the first {length} of them."
            )
        return (*notes, *about_ids(arrays.x, kind))

    def fit(self, train: RawSamples) -> Fitted:
        # An array is as long in all parts.
        length = train.shape[1] if isinstance(train, np.ndarray) else int(_lengths(train).max())
        return {"length": length, "channels": _channels(train)}

    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        return padded(x, fitted["length"])


def padded(x: RawSamples, length: int | None = None) -> Array:
    """Sequences as (n, length, channels) of 32-bit floats, with NaN behind each.

    Args:
        length: the longest may be cut to it; None for all of their steps.
    """
    if length is None:
        length = max(map(len, _sequences(x)), default=1)
    stored = np.full((len(x), length, _channels(x)), np.nan, np.float32)
    for row, sequence in zip(stored, _sequences(x), strict=True):
        found = sequence[:length]
        row[: len(found)] = found.reshape(len(found), -1)
    return stored


def _sequences(x: RawSamples) -> Any:
    """One array (steps,) or (steps, channels) for each sample."""
    assert isinstance(x, np.ndarray | Ragged), "others are not taken"
    return x if isinstance(x, np.ndarray) else x.items


def _channels(x: RawSamples) -> int:
    if not len(x):
        return 1
    first = _sequences(x)[0]
    return 1 if first.ndim == 1 else int(first.shape[1])


def _lengths(x: RawSamples) -> Array:
    """The number of real steps of each sample."""
    if isinstance(x, np.ndarray):
        real = ~np.isnan(x).reshape(*x.shape[:2], -1).all(axis=2)
        lengths: Array = real.sum(axis=1)
        return lengths
    return np.array([len(sequence) for sequence in _sequences(x)])


def _issues(x: RawSamples, key: str, channels: int, origin: str) -> list[Issue]:
    """The first sample of an array that is no sequence of numbers."""
    if not isinstance(x, np.ndarray | Ragged):
        message = f"must be sequences, as x is. Received: {type(x).__name__}."
        return [Issue(message, key, origin)]
    if not len(x):
        return [Issue("is empty.", key, origin)]
    for number, sequence in enumerate(_sequences(x)):
        problem = _problem(sequence, channels, is_padded=isinstance(x, np.ndarray))
        if problem:
            return [Issue(f"sample {number} (counted from 0) {problem}", key, origin)]
    return []


def _problem(sequence: Array, channels: int, is_padded: bool) -> str:
    """What is wrong with one sequence; empty if nothing is."""
    if sequence.dtype.kind not in "biuf":
        return f"must hold numbers. Received: dtype {sequence.dtype}."
    if sequence.ndim not in (1, 2):
        return f"must have the axes steps and channels. Received: shape {sequence.shape}."
    if not len(sequence):
        return NO_STEP
    values = sequence.reshape(len(sequence), -1).astype(np.float64)
    if values.shape[1] != channels:
        return f"must have {channels} channels, as the first has. Received: {values.shape[1]}."
    gaps = np.isnan(values)
    length = int(np.flatnonzero(~gaps.all(axis=1))[-1]) + 1 if not gaps.all() else 0
    if not length:
        return NO_STEP
    if not is_padded and length < len(values):
        length = len(values)
    if gaps[:length].any():
        step, channel = (int(place) for place in np.argwhere(gaps[:length])[0])
        behind = " NaN may only be behind the last step, as padding." if is_padded else ""
        return (
            f"must be finite 32-bit floats.{behind} Received: NaN at step {step} of {length},"
            f" channel {channel}."
        )
    beyond = np.abs(values[:length]) > LARGEST
    if beyond.any():
        step, channel = (int(place) for place in np.argwhere(beyond)[0])
        value = values[step, channel]
        return f"must be at most {LARGEST:g} in size. Received: {value} at step {step}."
    return ""
