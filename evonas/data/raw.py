"""Raw samples that are no single array: columns of a table, or arrays of different sizes.

A source gives them, and an *encoding* makes of them the one array that networks train on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CHUNK = 1 << 22
"""Number of values that are looked at in one go, so that large arrays are not copied as a whole."""


class Raw(ABC):
    """Samples that can be counted and chosen, and whose content can be told from another.

    Class attributes:
        words: what they are, in words.
    """

    words: ClassVar[str]

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def take(self, indices: Array) -> Raw:
        """The samples at these indices, in this order."""

    @abstractmethod
    def content(self) -> Iterator[bytes]:
        """The whole content in pieces: the same for equal samples, and for no others."""

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """All of it as plain arrays, for a file. `restored` of the class makes it again."""


RawSamples = Array | Raw
"""Samples as a source gives them: one array, or one of the classes here."""


@dataclass(frozen=True, eq=False)
class Frame(Raw):
    """Named columns of one length.

    Attributes:
        columns: name -> values (n,). Numbers are floats, in which NaN is a gap, whole numbers or
            booleans. Words are NumPy strings, in which an empty one is a gap.

    Raises:
        ValueError: there is no column, one is no row of numbers or words, or their lengths differ.
    """

    words: ClassVar[str] = "columns of a table"

    columns: Mapping[str, Array]

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("a frame needs at least one column.")
        for name, column in self.columns.items():
            if column.ndim != 1 or column.dtype.kind not in "biufUT":
                received = f"dtype {column.dtype}, shape {column.shape}"
                raise ValueError(f"the column {name!r} must hold numbers or words: {received}.")
        if len({len(column) for column in self.columns.values()}) > 1:
            lengths = {name: len(column) for name, column in self.columns.items()}
            raise ValueError(f"all columns must have one length. Received: {lengths}.")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, indices: Array) -> Frame:
        return Frame({name: column[indices] for name, column in self.columns.items()})

    def content(self) -> Iterator[bytes]:
        for name, column in self.columns.items():
            yield from content(np.array([name]))
            yield from content(column)

    def arrays(self) -> dict[str, Array]:
        found = {"names": np.array(list(self.columns))}
        for number, column in enumerate(self.columns.values()):
            found[f"column_{number}"] = plain(column)
        return found

    @classmethod
    def restored(cls, arrays: Mapping[str, Array]) -> Frame:
        """The frame that `arrays` was called on; its words have one width."""
        names = arrays["names"].tolist()
        return cls({name: arrays[f"column_{number}"] for number, name in enumerate(names)})


@dataclass(frozen=True, eq=False)
class Ragged(Raw):
    """Samples of different length or size.

    Attributes:
        items: one array a sample; all of one type and with one number of axes.
        size: height and width that the user wants of pictures, or None.

    Raises:
        ValueError: the types or the numbers of axes differ.
    """

    words: ClassVar[str] = "samples of different lengths or sizes"

    items: Sequence[Array]
    size: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        kinds = {(item.dtype, item.ndim) for item in self.items}
        if len(kinds) > 1:
            raise ValueError(f"all samples must have one type and rank. Received: {kinds}.")

    def __len__(self) -> int:
        return len(self.items)

    def take(self, indices: Array) -> Ragged:
        return Ragged([self.items[int(index)] for index in indices], self.size)

    def content(self) -> Iterator[bytes]:
        if self.size is not None:
            yield f"size {self.size}".encode()
        for item in self.items:
            yield from content(item)

    def arrays(self) -> dict[str, Array]:
        return {f"item_{number}": item for number, item in enumerate(self.items)}

    @classmethod
    def restored(cls, arrays: Mapping[str, Array]) -> Ragged:
        """The samples that `arrays` was called on."""
        return cls([arrays[f"item_{number}"] for number in range(len(arrays))])


def taken(x: RawSamples, indices: Array) -> RawSamples:
    """The samples at these indices."""
    return x.take(indices) if isinstance(x, Raw) else x[indices]


def content(x: RawSamples) -> Iterator[bytes]:
    """The whole content in pieces: the same for equal samples, and for no others."""
    if isinstance(x, Raw):
        yield type(x).__name__.encode()
        yield from x.content()
        return
    yield f"{x.dtype.str} {x.shape}".encode()
    if x.dtype.kind == "T":
        # The array itself holds addresses.
        for word in x.flat:
            letters = str(word).encode()
            yield f"{len(letters)} ".encode()
            yield letters
        return
    for _, chunk in chunks(np.atleast_1d(x)):
        ordered = np.ascontiguousarray(chunk)
        yield ordered.tobytes()


def chunks(array: Array) -> Iterator[tuple[int, Array]]:
    """Slices along the first axis of about `CHUNK` values, each with its first sample's index."""
    # A sample may have no values at all, or more values than a chunk.
    values_a_sample = max(1, int(np.prod(array.shape[1:])))
    rows = max(1, CHUNK // values_a_sample)
    for start in range(0, len(array), rows):
        end = start + rows
        yield start, array[start:end]


def plain(column: Array) -> Array:
    """The same values in a type that NumPy saves without pickle: words of one width."""
    return np.array(column.tolist(), dtype=np.str_) if column.dtype.kind == "T" else column


KINDS: Mapping[str, type[Frame] | type[Ragged]] = {"frame": Frame, "ragged": Ragged}
"""The classes of raw samples by their names in a file."""


def save(file: BinaryIO, x: RawSamples) -> None:
    """Write raw samples in the format `.npz`, without pickle."""
    kind = next((name for name, known in KINDS.items() if isinstance(x, known)), "array")
    arrays = x.arrays() if isinstance(x, Raw) else {"values": plain(x)}
    # The prefix keeps apart what NumPy calls its own arguments.
    named: dict[str, Any] = {f"{kind}.{name}": array for name, array in arrays.items()}
    np.savez(file, **named)


def load(path: Path) -> RawSamples:
    """The raw samples in a file of `save`."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name.partition(".")[2]: archive[name] for name in archive.files}
        kind = archive.files[0].partition(".")[0]
    return KINDS[kind].restored(arrays) if kind in KINDS else arrays["values"]
