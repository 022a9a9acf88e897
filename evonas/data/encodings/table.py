"""A table for spaces that embed its columns: numbers as they are, words as their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.checks import LARGEST
from evonas.data.encodings.encoding import Encoding
from evonas.data.encodings.ids import about_ids
from evonas.data.raw import Array, Frame, RawSamples
from evonas.errors import Issue
from evonas.learning.input_kinds.table import TABLE
from evonas.learning.input_spec import Fitted, input_name
from evonas.words import counted, listed

GAP, UNKNOWN, FIRST = 0, 1, 2
"""Codes of a column of words: a gap, a word without a code of its own, and the first word."""

FEW = 2
"""The fewest samples with a word that has a code of its own, if a column has many words."""

MANY_WORDS = 50
"""A column with more words than this leaves out those that are rarer than `FEW`.

Otherwise nothing would be learned of unknown words.
"""

QUANTILES = 17
"""The number of quantiles of each column of numbers: the ends of 16 equal shares."""

MOST_NAMED = 5


class FrameEncoding(Encoding):
    """What encodings of tables have in common.

    Class attributes:
        kind: kind of input that it is for.
        most_words: the most words of a column that are told apart.
    """

    kind: ClassVar[str]
    most_words: ClassVar[int]

    def takes(self, x: RawSamples, kind: str) -> bool:
        return isinstance(x, Frame) and kind == self.kind

    def issues(self, arrays: Arrays, kind: str) -> list[Issue]:
        return frame_issues(arrays)

    def notes(self, arrays: Arrays, kind: str, fitted: Fitted) -> tuple[str, ...]:
        return (*frame_notes(fitted["columns"]), *about_ids(arrays.x, kind))

    def fit(self, train: RawSamples) -> Fitted:
        return {"columns": tuple(fitted_columns(train, self.most_words))}


class Table(FrameEncoding):
    """Stored samples are (n, columns) of 32-bit floats; NaN is a gap among numbers.

    A word is stored as its code: 0 for a gap, 1 for an unknown word, from 2 on the words of the
    training part, the most frequent one first. These are exact, as floats of 32 bits tell whole
    numbers apart up to 16 million.

    Fitted is `columns`, one mapping for each column: `name`; for words `words`; for numbers `mean`,
    `variance`, `has_gaps` and `quantiles`.
    """

    name = "table"
    kind = TABLE.name
    most_words = 10_000

    def encode(self, x: RawSamples, fitted: Fitted) -> Array:
        assert isinstance(x, Frame), "others are not taken"
        stored = [coded(x.columns[one["name"]], one) for one in fitted["columns"]]
        return np.stack(stored, axis=1).astype(np.float32)

    def codes(self, fitted: Fitted) -> dict[int, int]:
        columns = enumerate(fitted["columns"])
        return {number: len(one["words"]) + FIRST for number, one in columns if "words" in one}


def is_words(column: Array) -> bool:
    """Whether a column of a frame holds words."""
    return column.dtype.kind in "UT"


def frame_issues(arrays: Arrays) -> list[Issue]:
    """Values that no 32-bit float can hold, and parts with other columns."""
    origin = arrays.origin
    found = []
    frames = arrays.samples()
    if isinstance(arrays.x, Frame):
        found += _alike(arrays.x, origin)
    for key, frame in frames.items():
        if key != "x":
            found += _differences(frame, arrays.x, key, origin)
        for name, column in frame.columns.items():
            if is_words(column):
                continue
            beyond = np.isinf(column) | (np.abs(column.astype(np.float64)) > LARGEST)
            if beyond.any():
                row = int(np.argmax(beyond))
                message = (
                    f"must be finite and at most {LARGEST:g} in size."
                    f" Received: {column[row]} in sample {row} (counted from 0)."
                )
                found.append(Issue(message, name, origin))
    return found


def _alike(frame: Frame, origin: str) -> list[Issue]:
    """Columns that would be one input of an exported model."""
    found = []
    columns: dict[str, str] = {}
    for name in frame.columns:
        other = columns.setdefault(input_name(name), name)
        if other != name:
            message = f"an exported model could not tell it from the column {other!r}: rename one."
            found.append(Issue(message, name, origin))
    return found


def _differences(frame: Any, x: Any, key: str, origin: str) -> list[Issue]:
    """Columns of a part that is given, which are not those of the training part."""
    if not isinstance(frame, Frame):
        message = f"must be a table, as x is. Received: {type(frame).__name__}."
        return [Issue(message, key, origin)]
    missing = [name for name in x.columns if name not in frame.columns]
    other = [name for name in frame.columns if name not in x.columns]
    found = []
    if missing or other:
        message = f"must have the columns of x. Missing: {listed(missing) or 'none'}."
        message = f"{message} Unknown: {listed(other) or 'none'}."
        found.append(Issue(message, key, origin))
    for name in x.columns:
        if name in frame.columns and is_words(frame.columns[name]) != is_words(x.columns[name]):
            wanted = "words" if is_words(x.columns[name]) else "numbers"
            found.append(Issue(f"must hold {wanted}, as in x.", f"{key}.{name}", origin))
    return found


def fitted_columns(train: RawSamples, most_words: int) -> list[dict[str, Any]]:
    """What is known of each column of the training part."""
    assert isinstance(train, Frame), "others are not taken"
    found = []
    for name, column in train.columns.items():
        if is_words(column):
            words, left = _vocabulary(column, most_words)
            found.append({"name": name, "words": words, "left_out": left})
        else:
            found.append({"name": name, **_numbers(column.astype(np.float64))})
    return found


def _vocabulary(column: Array, most: int) -> tuple[tuple[str, ...], int]:
    """The words of a column, the most frequent first, and how many words are left out."""
    counts = Counter(word for word in column.tolist() if word)
    # Words that are equally frequent come in the order of their letters.
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    kept = ordered
    if len(ordered) > MANY_WORDS:
        kept = [word for word in ordered if counts[word] >= FEW]
    kept = kept[:most]
    return tuple(kept), len(ordered) - len(kept)


def _numbers(column: Array) -> dict[str, Any]:
    """The moments and the quantiles of a column of numbers, without its gaps."""
    known = column[~np.isnan(column)]
    if not len(known):
        known = np.zeros(1)
    # Networks see 32-bit floats.
    known = known.astype(np.float32).astype(np.float64)
    mean = float(known.mean())
    variance = float(known.var())
    # A constant column has only rounding.
    if variance <= (1e-9 * mean) ** 2:
        variance = 1.0
    places = np.linspace(0, 1, QUANTILES)
    return {
        "mean": mean,
        "variance": variance,
        "has_gaps": bool(np.isnan(column).any()),
        "quantiles": tuple(np.quantile(known, places).tolist()),
    }


def coded(column: Array, fitted: Mapping[str, Any]) -> Array:
    """A column as floats (n,): numbers as they are, words as codes."""
    if "words" not in fitted:
        return column.astype(np.float32)
    codes = {word: number for number, word in enumerate(fitted["words"], FIRST)}
    codes[""] = GAP
    return np.array([codes.get(word, UNKNOWN) for word in column.tolist()], dtype=np.float32)


def frame_notes(columns: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """Words that have no code of their own."""
    found = []
    for one in columns:
        if one.get("left_out"):
            words = counted(one["left_out"], "word")
            found.append(
                f"x: {words} of the column {one['name']!r} count as unknown, because they are rare"
                f" in the training data; {len(one['words']):,} are told apart."
            )
    return tuple(found)
