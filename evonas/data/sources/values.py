"""From values of Python to raw samples: NumPy arrays, rows of different lengths, words, columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonas.data.raw import Array, Frame, Ragged
from evonas.words import excerpt


class Unfit(Exception):
    """What was given is nothing to train on. The message says why."""


def is_of(library: str, name: str, thing: Any) -> bool:
    """Whether this is of a class of a library, which is not imported for the question."""
    bases = [kind for kind in type(thing).__mro__ if kind.__name__ == name]
    return any(kind.__module__.partition(".")[0] == library for kind in bases)


def is_frame(thing: Any) -> bool:
    """Whether this is a frame of pandas or polars."""
    return any(is_of(library, "DataFrame", thing) for library in ("pandas", "polars"))


def raw_of(value: Any, name: str) -> Array | Frame | Ragged:
    """Samples or targets as evonas has them.

    Args:
        name: what the message calls them.

    Raises:
        Unfit: they are no numbers, words, columns or rows.
    """
    if isinstance(value, Mapping):
        return Frame({str(key): np.asarray(column) for key, column in value.items()})
    if isinstance(value, Frame | Ragged):
        return value
    try:
        array = np.asarray(value)
    # Rows of different lengths, for which NumPy has no other error.
    except ValueError:
        array = np.empty(len(value), object)
        # One by one: NumPy would try to make one array of items that agree in their first axis.
        for place, item in enumerate(value):
            array[place] = np.asarray(item)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.dtype != object or not array.size:
        return array
    items = [np.asarray(item) for item in array.flat]
    if array.ndim == 1 and all(item.dtype.kind in "biuf" and item.ndim for item in items):
        return _ragged(items, name)
    if array.ndim == 1 and all(isinstance(item, str | bytes) for item in array):
        return np.array([as_word(item) for item in array])
    raise Unfit(
        f"{name}: holds Python objects (mixed types), and plain numbers, words, or rows of numbers"
        f" are wanted. Received: {excerpt(repr(array.flat[0]))} first."
    )


def _ragged(items: list[Array], name: str) -> Ragged:
    """Rows of different lengths in one type.

    Raises:
        Unfit: they have different numbers of axes.
    """
    axes = sorted({item.ndim for item in items})
    if len(axes) > 1:
        raise Unfit(
            f"{name}: all samples must have as many axes. Received: {axes[0]} and {axes[-1]}."
        )
    common = np.result_type(*{item.dtype for item in items})
    return Ragged([item.astype(common, copy=False) for item in items])


def as_word(value: str | bytes) -> str:
    """A word, also if it was given as bytes of UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
