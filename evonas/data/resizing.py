"""Pictures resized as Keras's own layer `Resizing` does it, bit for bit, without Keras.

Bilinear, with the centres of pixels half a pixel from the edge, and without a filter before it.
All arithmetic is in 32-bit floats, in the order of TensorFlow's kernel.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evonas.data.raw import Array


def resized(picture: Array, size: tuple[int, int]) -> Array:
    """A picture (h, w, c) as (height, width, c), in its own type; integers are rounded to even."""
    height, width = size
    if picture.shape[:2] == size:
        return picture
    left, right, along = _between(picture.shape[1], width)
    upper, lower, down = _between(picture.shape[0], height)
    # Only the rows that are looked at.
    above = picture[upper].astype(np.float32)
    below = picture[lower].astype(np.float32)
    share = along[:, np.newaxis]
    top = above[:, left] + (above[:, right] - above[:, left]) * share
    bottom = below[:, left] + (below[:, right] - below[:, left]) * share
    found = top + (bottom - top) * down[:, np.newaxis, np.newaxis]
    if picture.dtype.kind in "iu":
        found = np.rint(found)
    stored: Array = found.astype(picture.dtype)
    return stored


@lru_cache(maxsize=1024)
def _between(length: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """For each new pixel the two old ones between which it lies, and the share of the second."""
    scale = np.float32(length) / np.float32(wanted)
    place = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    floor = np.floor(place)
    first = np.maximum(floor, 0).astype(np.intp)
    second = np.minimum(np.ceil(place), length - 1).astype(np.intp)
    return first, second, place - floor
