"""Pictures in a folder: PNG, JPEG, BMP and GIF, a class a subfolder, or named by a table.

They are decoded once. Pixels that memory cannot hold are laid into a file, which is mapped.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from evonas.data.arrays import Arrays
from evonas.data.raw import Array, Ragged, RawSamples
from evonas.data.room import fits
from evonas.data.sources.decoding import MODES, Look, Undecodable, decoded, looked_at
from evonas.data.sources.path_source import PathSource
from evonas.data.sources.picture_folder import Found, Picture, all_below, holds_pictures, look
from evonas.errors import InvalidData, Issue
from evonas.files import failure
from evonas.memory import Memory
from evonas.settings import Check
from evonas.words import counted, listed

MOST_ISSUES = 10
"""The most files that are named one by one."""

MOST_CLASSES = 10
"""The most classes that a note names."""

Pixels = Annotated[int, Ge(1), Le(4096)]


def size_problem(size: tuple[int, ...] | None) -> str:
    """Why this is no size of a picture; empty if it is one."""
    if size is None or len(size) == 2:
        return ""
    return f"must be height and width, such as [64, 64]. Received: {list(size)}."


def channels_problem(channels: int | None) -> str:
    """Why this is no number of channels; empty if it is one."""
    if channels is None or channels in MODES:
        return ""
    return f"must be 1 (grey), 3 (colour) or 4 (colour and opacity). Received: {channels}."


@dataclass(frozen=True)
class Pictures(PathSource):
    """A folder of pictures.

    Attributes:
        target: column of labels, if a table names the pictures and has several other columns.
        size: height and width to which pictures are resized; null to keep them if all are of one
            size, and to choose otherwise.
        channels: 1 for grey, 3 for colour, 4 for colour and opacity; null for what the pictures
            have, where transparent pixels are laid on white.
    """

    target: str | None = None
    size: Annotated[tuple[Pixels, ...] | None, Check(size_problem)] = None
    channels: Annotated[int | None, Check(channels_problem)] = None

    words: ClassVar[str] = "a folder of pictures (a class a subfolder, or a .csv beside them)"

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and holds_pictures(path)

    def read(self, memory: Memory) -> Arrays:
        return self.read_into(Path(tempfile.gettempdir()), memory)

    def read_into(self, folder: Path, memory: Memory) -> Arrays:
        path = Path(self.path)
        if not path.is_dir():
            message = "is a file, and a folder of pictures is wanted."
            if not path.exists():
                message = "there is no such folder."
            raise InvalidData(Issue(message, file=self.path))
        try:
            found = look(path, self.target)
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}."
            raise InvalidData(Issue(message, file=str(error.filename or path))) from error
        refuse(found.issues)
        if not found.parts.get("x"):
            raise InvalidData(Issue("holds no picture.", file=self.path))
        looks = _looks(found)
        shape = _Shape.of(looks, self.channels)
        flat = _laid(found, looks, shape, folder, memory)
        return self._arrays(found, looks, shape, flat)

    def unlabelled(self, memory: Memory) -> tuple[RawSamples, Sequence[str]]:
        path = Path(self.path)
        folder = path.parent if path.is_file() else path
        found = all_below(path)
        refuse(found.issues)
        looks = _looks(found)
        shape = _Shape.of(looks, self.channels)
        flat = _laid(found, looks, shape, Path(tempfile.gettempdir()), memory)
        arrays = self._arrays(found, looks, shape, flat)
        names = [one.path.relative_to(folder).as_posix() for one in found.parts["x"]]
        return arrays.x, names

    def _arrays(
        self, found: Found, looks: Mapping[Path, Look], shape: _Shape, flat: Array
    ) -> Arrays:
        """The arrays of all parts, as views of the pixels of all pictures in turn."""
        arrays: dict[str, Any] = {}
        begin = 0
        sizes = {(one.height, one.width) for one in looks.values()}
        keeps_size = len(sizes) == 1 and self.size in (None, *sizes)
        for key, pictures in found.parts.items():
            items = []
            for picture in pictures:
                one = looks[picture.path]
                size = (one.height, one.width, shape.channels)
                count = one.height * one.width * shape.channels
                items.append(flat[begin : begin + count].reshape(size))
                begin += count
            arrays[key] = Ragged(items, self.size)
            if keeps_size:
                end = begin - len(pictures) * items[0].size
                arrays[key] = flat[end:begin].reshape(len(pictures), *items[0].shape)
            arrays[key.replace("x", "y")] = _targets(pictures, found.are_classes)
        notes = [_summary(found, looks, shape), *found.notes, *shape.notes]
        return Arrays(self.path, **arrays, notes=tuple(notes))


@dataclass(frozen=True)
class _Shape:
    """What is common to the pixels of all pictures.

    Attributes:
        notes: what is not as it is in the files, a sentence each.
    """

    channels: int
    dtype: np.dtype[Any]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, looks: Mapping[Path, Look], wanted: int | None) -> _Shape:
        """The shape for these pictures.

        Raises:
            InvalidData: some have values of 16 bits, and others have not.
        """
        grey = [path for path, one in looks.items() if one.is_grey]
        deep = [path for path, one in looks.items() if one.is_deep]
        channels = wanted or (1 if len(grey) == len(looks) else 3)
        if deep and (len(deep) < len(looks) or channels != 1):
            other = next((path for path in looks if path not in set(deep)), None)
            what = f"{other.name} has 8" if other else f"{channels} channels are wanted"
            message = (
                f"has grey values of 16 bits, and {what}. Allowed: all pictures grey, with 16 bits"
                " each, or none."
            )
            raise InvalidData(Issue(message, file=str(deep[0])))
        dtype = np.dtype(np.uint16 if deep else np.uint8)
        return cls(channels, dtype, tuple(_notes(looks, channels, len(grey))))


def _notes(looks: Mapping[Path, Look], channels: int, grey: int) -> Iterator[str]:
    """What becomes of pictures that are not like the others."""
    clear = [path for path, one in looks.items() if one.is_clear]
    turned = [path for path, one in looks.items() if one.is_turned]
    moving = [path for path, one in looks.items() if one.frames > 1]
    cut = [path for path, one in looks.items() if one.is_cut]
    colour = len(looks) - grey
    if channels > 1 and grey:
        yield f"data: {_of(grey, looks)} grey, and get {channels} channels."
    if channels == 1 and colour:
        yield f"data: {_of(colour, looks)} in colour, and become grey."
    if clear and channels != 4:
        what = "may have transparent pixels, which are laid on white; `channels: 4` keeps opacity"
        yield f"data: {counted(len(clear), 'picture')} ({_first(clear)}) {what}."
    if turned:
        whose = "its" if len(turned) == 1 else "their"
        what = f"turned as {whose} EXIF data say ({_first(turned)})"
        yield f"data: {_of(len(turned), looks)} {what}."
    if moving:
        what = counted(len(moving), "file has", "files have")
        yield f"data: {what} several frames, of which the first is read ({_first(moving)})."
    if cut:
        what = counted(len(cut), "picture has", "pictures have")
        yield f"data: {what} colours of 16 bits, of which 8 are read ({_first(cut)})."


def _of(count: int, looks: Mapping[Path, Look]) -> str:
    verb = "is" if count == 1 else "are"
    return f"{count:,} of {counted(len(looks), 'picture')} {verb}"


def _first(paths: Sequence[Path]) -> str:
    return paths[0].name if len(paths) == 1 else f"{paths[0].name}, ..."


def refuse(issues: Sequence[Issue]) -> None:
    """Raise the first issues, and say how many more there are; nothing happens without any.

    Raises:
        InvalidData: there is one.
    """
    if not issues:
        return
    first = list(issues[:MOST_ISSUES])
    more = len(issues) - len(first)
    if more:
        first.append(Issue(f"and {counted(more, 'more file')} with such issues."))
    raise InvalidData(first)


def _looks(found: Found) -> dict[Path, Look]:
    """What each file says of its picture.

    Raises:
        InvalidData: all files that are no pictures.
    """
    looks = {}
    issues = []
    for picture in _all(found):
        try:
            looks[picture.path] = looked_at(picture.path)
        except Undecodable as error:
            issues.append(Issue(str(error), file=str(picture.path)))
    refuse(issues)
    return looks


def _all(found: Found) -> Iterator[Picture]:
    for pictures in found.parts.values():
        yield from pictures


def _laid(
    found: Found, looks: Mapping[Path, Look], shape: _Shape, folder: Path, memory: Memory
) -> Array:
    """The pixels of all pictures in turn, (values,), in memory or in a mapped file.

    Raises:
        InvalidData: all pictures that are damaged.
    """
    values = sum(one.height * one.width for one in looks.values()) * shape.channels
    issues: list[Issue] = []
    pixels = _decoded(found, looks, shape.channels, issues)
    if fits(values * shape.dtype.itemsize, memory):
        flat = np.empty(values, shape.dtype)
        begin = 0
        for one in pixels:
            flat[begin : begin + one.size] = one.reshape(-1)
            begin += one.size
    else:
        flat = mapped(pixels, shape.dtype, folder)
    refuse(issues)
    return flat


def mapped(arrays: Iterable[Array], dtype: np.dtype[Any], folder: Path) -> Array:
    """The values of arrays in turn, (values,), in a file without a name that is mapped.

    The system gives up its pages whenever memory is short, and deletes it once nobody maps it.

    Raises:
        DiskFailure: the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # Written, not mapped for writing: a full disk would then kill the process.
            for one in arrays:
                file.write(np.ascontiguousarray(one, dtype).data)
            file.flush()
            # Nothing can be mapped of an empty file.
            if not file.tell():
                return np.empty(0, dtype)
            return np.memmap(file, dtype, mode="r").view(np.ndarray)
    except OSError as error:
        raise failure(error, f"a file of pixels in {folder} cannot be written") from error


def _decoded(
    found: Found, looks: Mapping[Path, Look], channels: int, issues: list[Issue]
) -> Iterator[Array]:
    """The pixels of one picture after the other; nothing of those that are damaged."""
    for picture in _all(found):
        try:
            yield decoded(picture.path, looks[picture.path], channels)
        except Undecodable as error:
            issues.append(Issue(str(error), file=str(picture.path)))


def _targets(pictures: Sequence[Picture], are_classes: bool) -> Array:
    """The labels, (n,): numbers if all of a table's are, otherwise words."""
    words = np.array([picture.label for picture in pictures])
    if are_classes:
        return words
    for kind in (np.int64, np.float64):
        try:
            return words.astype(kind)
        except ValueError:
            continue
    return words


def _summary(found: Found, looks: Mapping[Path, Look], shape: _Shape) -> str:
    """One sentence on what was found."""
    labels = Counter(picture.label for picture in _all(found))
    counts = [f"{label} {count:,}" for label, count in labels.items()]
    if len(counts) > MOST_CLASSES:
        counts = [*counts[:MOST_CLASSES], f"{len(counts) - MOST_CLASSES:,} more"]
    heights = [one.height for one in looks.values()]
    widths = [one.width for one in looks.values()]
    size = f"{heights[0]} x {widths[0]} pixels"
    if min(heights) < max(heights) or min(widths) < max(widths):
        size = f"{min(heights)} x {min(widths)} to {max(heights)} x {max(widths)} pixels"
    kinds = {1: "grey", 3: "colour", 4: "colour and opacity"}
    classes = f"{counted(len(labels), 'class', 'classes')} ({listed(counts)})"
    pictures = counted(len(looks), "picture")
    return f"data: {pictures} in {classes}, {size}, {kinds[shape.channels]}."
