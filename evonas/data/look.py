"""What samples look like: which kinds of input they may be, how many there are, and how large.

`space: auto` chooses a search space by it.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, Frame, Ragged, Raw
from evonas.errors import InvalidData, Issue

MOST_READ = 1000
"""Texts whose words are counted."""

SMALLEST_IMAGE = 6
"""Pixels on a side; smaller squares are rather steps of few channels."""


@dataclass(frozen=True)
class Look:
    """How samples look from outside.

    Attributes:
        kinds: names of the kinds of input that they may be, the best first.
        samples: number of samples.
        size: pixels of an image, steps of the longest sequence, columns of a table, or the median
            of the words of a text.
        words: the same for people, such as `1,797 images of 8x8`.
    """

    kinds: tuple[str, ...]
    samples: int
    size: int
    words: str


def look(arrays: Arrays) -> Look:
    """What the samples `x` look like.

    Raises:
        InvalidData: `x` is a single value.
    """
    x = arrays.x
    if isinstance(x, Frame):
        columns = len(x.columns)
        # The columns of a frame can also be laid side by side, as one vector.
        return _as(("table", "vector"), len(x), columns, f"rows of {columns:,} named columns")
    if isinstance(x, Ragged):
        return _ragged(x)
    assert not isinstance(x, Raw), "there are no other classes"
    if x.dtype.kind in "UT":
        return _texts(x)
    if not x.ndim:
        message = "must hold samples along its first axis. Received: a single value."
        raise InvalidData(Issue(message, "x", arrays.origin))
    # A series of one number each is no sample yet: a forecast makes windows of it.
    samples, *shape = x.shape if x.ndim > 1 else (len(x), 1)
    size = "x".join(map(str, shape))
    if len(shape) == 1:
        return _as(("vector",), samples, shape[0], f"rows of {shape[0]:,} numbers")
    if len(shape) == 3 or (len(shape) == 2 and _is_image(x.dtype, shape)):
        return _as(("image",), samples, shape[0] * shape[1], f"images of {size}")
    return _as(("sequence",), samples, shape[0], f"sequences of {size}")


def _as(kinds: tuple[str, ...], samples: int, size: int, words: str) -> Look:
    return Look(kinds, samples, size, f"{samples:,} {words}")


def _is_image(dtype: np.dtype[np.generic], shape: list[int] | tuple[int, ...]) -> bool:
    """Whether a sample of two axes is rather a picture than steps with channels."""
    # Pixels are bytes, and hardly anything else is.
    if dtype == np.uint8:
        return True
    return shape[0] == shape[1] and shape[0] >= SMALLEST_IMAGE


def _ragged(x: Ragged) -> Look:
    """Samples of different length or size."""
    if not len(x):
        return _as(("sequence",), 0, 0, "sequences")
    first = x.items[0]
    if first.ndim == 3 or (first.ndim == 2 and first.dtype == np.uint8):
        pixels = max(item.shape[0] * item.shape[1] for item in x.items)
        return _as(("image",), len(x), pixels, f"images of up to {pixels:,} pixels")
    steps = max(len(item) for item in x.items)
    return _as(("sequence",), len(x), steps, f"sequences of up to {steps:,} steps")


def _texts(x: Array) -> Look:
    words = [len(str(text).split()) for text in x[:MOST_READ]]
    median = int(statistics.median(words))
    return _as(("text",), len(x), median, f"texts of about {median:,} words")
