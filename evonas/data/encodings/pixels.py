"""Pictures of different sizes: resized to one, as Keras's layer `Resizing` does it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.encodings.encoding import Encoding
from evonas.data.raw import Array, Frame, Ragged, Raw, RawSamples
from evonas.data.resizing import resized
from evonas.data.room import stored_dtype
from evonas.errors import Issue
from evonas.learning.input_spec import Fitted

MULTIPLE = 8
"""Heights and widths are multiples of this, so that networks can halve them three times."""

MOST_PIXELS = 128 * 128
"""The most pixels of a picture if no size was given: photos would be stored with millions."""


class Pixels(Encoding):
    """Stored samples are (n, height, width, channels), in the type of the pictures.

    Fitted is `size`, height and width: what the user has said, or the medians of the training part,
    as multiples of 8 and with at most 128 x 128 pixels; `channels`; and `is_whole`, whether values
    are whole numbers, to which resized ones are rounded.
    """

    name = "pixels"

    def takes(self, x: RawSamples, kind: str) -> bool:
        return isinstance(x, Ragged) and kind == "image"

    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        issues = []
        channels = None
        for key, x in arrays.samples().items():
            if isinstance(x, Frame) or (not isinstance(x, Raw) and not x.ndim):
                message = f"must be pictures, as x is. Received: {type(x).__name__}."
                issues.append(Issue(message, key, arrays.origin))
                continue
            for number, item in enumerate(_items(x)):
                if channels is None and item.ndim == 3:
                    channels = item.shape[2]
                if wrong := _wrong(item, channels):
                    message = f"{wrong} Received: {key}[{number}] of shape {item.shape}."
                    issues.append(Issue(message, key, arrays.origin))
                    break
        return issues

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        height, width = fitted["size"]
        what = f"x: pictures are resized to {height} x {width} pixels, whatever their shape is"
        if isinstance(arrays.x, Ragged) and arrays.x.size is not None:
            return (f"{what}.",)
        return (f"{what}, about the median; `size: [height, width]` under `data` changes it.",)

    def fit(self, train: RawSamples) -> Fitted:
        assert isinstance(train, Ragged), "others are not taken"
        first = train.items[0]
        size = train.size or _chosen(train)
        return {
            "size": tuple(size),
            "channels": int(first.shape[2]),
            "is_whole": first.dtype.kind in "iu",
        }

    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        height, width = fitted["size"]
        return np.stack([resized(item, (height, width)) for item in _items(x)])

    def dtype(self, found: Iterable[RawSamples]) -> np.dtype[np.generic]:
        return stored_dtype(_items(x)[0].dtype for x in found)


def _items(x: RawSamples) -> Sequence[Array]:
    """The pictures one by one. Those of a part that is given may be of one size, an array."""
    assert isinstance(x, np.ndarray | Ragged), "others are refused"
    return x.items if isinstance(x, Ragged) else list(x)


def _wrong(item: Array, channels: int | None) -> str:
    """What is wrong with a picture; empty if nothing is."""
    if item.ndim != 3 or not item.size:
        return "a picture has 3 axes: height, width, channels."
    if item.shape[2] != channels:
        return f"all pictures must have as many channels as the first, {channels}."
    if item.dtype.kind not in "iuf":
        return f"pixels must be numbers, not {item.dtype}."
    if not np.isfinite(item).all():
        return "pixels must be finite."
    return ""


def _chosen(train: Ragged) -> tuple[int, int]:
    """Height and width of the pictures, for a config that does not name them."""
    sizes = [item.shape[:2] for item in train.items]
    height, width = np.median(np.array(sizes), axis=0).tolist()
    shrink = min(1.0, math.sqrt(MOST_PIXELS / (height * width)))
    size = [max(1, round(side * shrink / MULTIPLE)) * MULTIPLE for side in (height, width)]
    return size[0], size[1]
