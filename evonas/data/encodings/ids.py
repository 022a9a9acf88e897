"""Whole numbers that may be ids of words: a network would be trained on them as quantities."""

from __future__ import annotations

import numpy as np

from evonas.data.raw import Array, Frame, Ragged, RawSamples, chunks

FEWEST = 20
"""The fewest distinct numbers that look like ids."""

FEWEST_COLUMNS = 10
"""A table with fewer columns is no row of words."""

LARGEST_ID = 10_000_000
"""No vocabulary has more words."""

LARGEST_PIXEL = 255
"""In rows, whole numbers up to here are rather pixels."""

FIRST_ID = 2
"""Ids count from 0, from 1, or from 2 behind a padding and an unknown word."""

ADVICE = "give the texts (`space: text`)"


def about_ids(x: RawSamples, kind: str) -> list[str]:
    """A sentence on samples (n, steps), (n, steps, 1), or a table, which may be ids of words."""
    if kind not in ("sequence", "vector", "table"):
        return []
    pieces = [piece for piece in _pieces(x) if piece.size]
    if not pieces or not all(_may_be_ids(piece) for piece in pieces):
        return []
    least = min(int(piece.min()) for piece in pieces)
    largest = max(int(piece.max()) for piece in pieces)
    if not 0 <= least <= FIRST_ID or largest > LARGEST_ID:
        return []
    if kind != "sequence" and not _is_one_vocabulary(pieces, largest):
        return []
    seen = np.zeros(largest + 1, bool)
    for piece in pieces:
        seen[piece.reshape(-1)] = True
    distinct = int(seen.sum())
    if distinct < FEWEST:
        return []
    return [
        f"x: holds whole numbers from {least:,} to {largest:,} with {distinct:,} different values;"
        f" they are trained on as quantities. If they are ids of words, {ADVICE}."
    ]


def _pieces(x: RawSamples) -> list[Array]:
    """All values; large arrays are mapped, and not copied as a whole."""
    if isinstance(x, Ragged):
        return [_whole(item) for item in x.items]
    if isinstance(x, Frame):
        return _columns(x)
    if isinstance(x, np.ndarray) and x.ndim > 1:
        return [piece for _, piece in chunks(x)]
    return []


def _whole(values: Array) -> Array:
    """Floats that are all whole as integers: files of text do not tell one from the other."""
    if values.dtype.kind != "f":
        return values
    # NaN and infinite values are not below, and have no integer.
    are_whole = (np.abs(values) <= LARGEST_ID) & (values == np.floor(values))
    return values.astype(np.int64) if are_whole.all() else values


def _columns(frame: Frame) -> list[Array]:
    """The columns of a table side by side, if there are many and all hold whole numbers."""
    columns = []
    for column in frame.columns.values():
        whole = _whole(column) if column.dtype.kind in "iuf" else column
        if whole.dtype.kind not in "iu":
            return []
        columns.append(whole)
    return [np.stack(columns, axis=1)] if len(columns) >= FEWEST_COLUMNS else []


def _may_be_ids(piece: Array) -> bool:
    """Whether values are whole numbers of one channel. Bytes are rather pixels."""
    has_one = piece.ndim < 3 or piece.shape[2:] == (1,)
    return piece.dtype.kind in "iu" and piece.dtype != np.uint8 and has_one


def _is_one_vocabulary(pieces: list[Array], largest: int) -> bool:
    """Whether the columns of rows hold the same: those of a table have ranges of their own."""
    columns = np.max([piece.max(axis=0) for piece in pieces], axis=0)
    return largest > LARGEST_PIXEL and bool(np.median(columns) > largest / 2)
