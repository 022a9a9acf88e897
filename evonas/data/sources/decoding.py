"""Pictures decoded to arrays by Pillow: what a file holds, and its pixels.

Pillow is imported within the functions: most runs need none of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evonas.data.raw import Array

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Number of channels -> what Pillow calls it."""

ORIENTATION = 274
"""The number of EXIF's tag for the way a camera was held."""

_GREY = frozenset({"1", "L", "LA", "La"})
_DEEP = frozenset({"I;16", "I;16B", "I;16L", "I"})
"""Grey values of 16 bits."""


class Undecodable(Exception):
    """A file is no picture, is damaged, or is too large. The message says which."""


@dataclass(frozen=True)
class Look:
    """What a file says of its picture.

    Attributes:
        height: pixels, as a person sees it: after the turn that EXIF asks for.
        width: the same.
        is_grey: whether it has no colours.
        is_deep: whether its grey values have 16 bits.
        is_clear: whether it may have transparent pixels.
        is_turned: whether EXIF asks for a turn.
        frames: number of pictures in the file.
        is_cut: whether Pillow reads its colours with 8 of 16 bits.
    """

    height: int
    width: int
    is_grey: bool
    is_deep: bool
    is_clear: bool
    is_turned: bool
    frames: int
    is_cut: bool


def looked_at(path: Path) -> Look:
    """What a file says of its picture; no pixel is decoded.

    Raises:
        Undecodable: it is no picture, or is too large.
    """
    with _opened(path) as image:
        is_clear = image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
        is_clear = is_clear or "transparency" in image.info
        orientation = int(image.getexif().get(ORIENTATION, 1) or 1)
        width, height = image.size
        # The four turns by a quarter, two of them mirrored.
        if orientation in (5, 6, 7, 8):
            width, height = height, width
        raw = str(image.tile[0][3]) if image.tile else ""
        return Look(
            height,
            width,
            is_grey=image.mode in _GREY or image.mode in _DEEP,
            is_deep=image.mode in _DEEP,
            is_clear=is_clear,
            is_turned=2 <= orientation <= 8,
            frames=_frames(image),
            is_cut=image.mode not in _DEEP and ";16" in raw,
        )


def decoded(path: Path, look: Look, channels: int) -> Array:
    """The pixels of a picture, (height, width, channels): uint8, or uint16 if it is deep.

    What is transparent is laid on white, unless there is a channel for it.

    Args:
        look: what `looked_at` has found.
        channels: 1 for grey, 3 for colour, 4 for colour and opacity.

    Raises:
        Undecodable: it is damaged or cut short.
    """
    from PIL import Image, ImageOps

    with _opened(path) as opened:
        image: Image.Image = opened
        if look.is_turned:
            image = ImageOps.exif_transpose(image)
        if look.is_deep:
            pixels = np.asarray(image).astype(np.uint16)
        else:
            if look.is_clear and channels != 4:
                white = Image.new("RGBA", image.size, "white")
                white.alpha_composite(image.convert("RGBA"))
                image = white
            pixels = np.asarray(image.convert(MODES[channels]))
    return pixels.reshape(look.height, look.width, channels)


def _frames(image: ImageFile) -> int:
    """The number of pictures in a file of a format that may have several."""
    from PIL.GifImagePlugin import GifImageFile
    from PIL.PngImagePlugin import PngImageFile

    return image.n_frames if isinstance(image, GifImageFile | PngImageFile) else 1


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile]:
    """A picture, opened; whatever Pillow raises meanwhile becomes one kind of error.

    Raises:
        Undecodable: it is no picture, is damaged, or is too large.
    """
    from PIL import Image, UnidentifiedImageError

    too_large = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with warnings.catch_warnings():
            # Damaged notes of a camera, and the like: the pixels are what counts.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except too_large as error:
        most = Image.MAX_IMAGE_PIXELS or 0
        raise Undecodable(
            f"is too large: more than {most:,} pixels. A small file that unpacks to so much may be"
            " an attack. Make it smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise Undecodable(_why_unknown(path)) from error
    # Pillow's decoders raise these for files that are damaged.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        words = str(error).partition("\n")[0] or type(error).__name__
        raise Undecodable(f"is damaged or cut short: {words}.") from error


def _why_unknown(path: Path) -> str:
    """What is wrong with a file that Pillow does not know."""
    if not path.stat().st_size:
        return "is empty, and no picture."
    with path.open("rb") as file:
        head = file.read(8)
    return f"is no picture, whatever its name says. It begins with {head!r}."
