"""The text of a CSV: decoded, cut into rows, and each row as wide as the header.

polars fills short rows with gaps and renames columns with equal names. Both would change data
without a word, so they are refused here, with their lines.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evonas.data.tables.schema import ANY_NAME
from evonas.errors import InvalidData, Issue
from evonas.genome.strict_yaml import short
from evonas.words import counted, listed

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What may separate the fields of a row, and in words."""

BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""Marks at the begin of a text, and the encodings that they tell."""

FULL_FORM = "`data: {source: {table: {path: ..., KEY}}}`"
"""Where the rarer keys of a table are written."""

MOST_TOLD = 3
"""The most names that are told."""


@dataclass(frozen=True, eq=False)
class Text:
    """A CSV that can be read.

    Attributes:
        names: name of each column, as the header has them.
        rows: the text below the header, in UTF-8, with line feeds alone.
        lines: number of the line in which each row begins, from 1.
        separator: what separates the fields.
    """

    names: tuple[str, ...]
    rows: bytes
    lines: NDArray[np.int64]
    separator: str


@dataclass(frozen=True, eq=False)
class _Rows:
    """Where the rows of a text are, that of the header first.

    Attributes:
        letters: the text as bytes.
        inside: which of them are within quotation marks; None if there are no such marks.
        starts: place of the first byte of each row.
        ends: place behind its last byte.
        lines: the line in which it begins, from 1.
    """

    letters: NDArray[np.uint8]
    inside: NDArray[np.bool_] | None
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]

    def text(self, row: int) -> str:
        """The text of one row."""
        return self.letters[self.starts[row] : self.ends[row]].tobytes().decode()

    def widths(self, separator: str) -> NDArray[np.int64]:
        """The number of fields of each row."""
        marks = self.letters == ord(separator)
        if self.inside is not None:
            marks &= ~self.inside
        # How many separators there are up to the end of each row.
        so_far = np.searchsorted(np.flatnonzero(marks), self.ends)
        return np.diff(so_far, prepend=0) + 1


def cut(
    content: bytes,
    origin: str,
    usual: str,
    separator: str = "",
    encoding: str = "",
    alone: str = "",
) -> Text:
    """The rows of a CSV.

    Args:
        content: the bytes of the file, not empty.
        origin: path of the file, for the messages.
        usual: separator that the file's ending stands for.
        separator: separator that the user has given; empty to look at the header.
        encoding: the same of the encoding; empty for UTF-8.
        alone: name of a column that may be the only one, or `ANY_NAME`.

    Raises:
        InvalidData: it is no text, has no header or no rows, or a row of another width.
    """
    text = _decoded(content, origin, encoding).replace(b"\r\n", b"\n")
    # Old Macs end lines so.
    if b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    text = text.rstrip(b"\n")
    rows = _found(text)
    header = rows.text(0)
    used = separator or _separator(header, usual)
    names = _names(header, used)
    if names != (alone,) and not (alone == ANY_NAME and len(names) == 1):
        _check_names(names, header, origin)
    if len(rows.starts) == 1:
        message = f"has a header, and no rows below it. Columns: {short(', '.join(names))}."
        raise InvalidData(Issue(message, file=origin))
    _check_widths(rows, names, used, origin)
    return Text(names, text[rows.starts[1] :], rows.lines[1:], used)


def about_quotation(text: Text, origin: str) -> Issue | None:
    """The first quotation mark that is none of a whole field, which polars cannot read.

    Args:
        origin: path of the file, for the message.
    """
    letters = np.frombuffer(b"\n" + text.rows + b"\n", np.uint8)
    places = np.flatnonzero(letters == ord('"'))
    # A doubled mark ends and begins a quotation, so it has another mark beside it.
    around = np.frombuffer(f'{text.separator}\n"'.encode(), np.uint8)
    is_first = np.arange(len(places)) % 2 == 0
    beside = np.where(is_first, letters[places - 1], letters[places + 1])
    wrong = places[~np.isin(beside, around)]
    if not len(wrong):
        return None
    place = int(wrong[0]) - 1
    line = int(text.lines[0]) + text.rows.count(b"\n", 0, place)
    begin = text.rows.rfind(b"\n", 0, place) + 1
    received = short(text.rows[begin:].partition(b"\n")[0].decode())
    message = (
        'a quotation mark (") stands within a field. Marks go around a whole field, without a'
        f" space outside of them, and a mark in it is written twice. Received: {received!r}."
    )
    return Issue(message, "", origin, line)


def _decoded(content: bytes, origin: str, encoding: str) -> bytes:
    """The text in UTF-8, without a byte order mark."""
    for mark, meant in BOMS.items():
        if content.startswith(mark):
            encoding = encoding or meant
            break
    is_wide = "16" in encoding or "32" in encoding
    if b"\0" in content[:4096] and not is_wide:
        raise InvalidData(Issue("is no text: it holds zero bytes.", file=origin))
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        raise InvalidData(_not_decoded(content, error, origin, encoding)) from error
    return text.removeprefix("\ufeff").encode()


def _not_decoded(content: bytes, error: UnicodeDecodeError, origin: str, encoding: str) -> Issue:
    """The line that is not in the encoding, and how to read it."""
    line = content.count(b"\n", 0, error.start) + 1
    begin = content.rfind(b"\n", 0, error.start) + 1
    around = content[max(begin, error.start - 20) : error.start + 20].splitlines()[0]
    words = short(around.decode("latin-1"), 40)
    if encoding:
        return Issue(f"is not {encoding} text. Received: {words!r}.", "", origin, line)
    key = FULL_FORM.replace("KEY", "encoding: latin-1")
    message = (
        f"is not UTF-8 text. Read as Latin-1, it is {words!r}. If the whole file is in Latin-1,"
        f" write {key}, or convert it:  iconv -f latin1 -t utf-8"
    )
    return Issue(message, "", origin, line)


def _found(text: bytes) -> _Rows:
    """Where the rows are.

    A line feed within quotation marks ends no row. A doubled mark ends and begins a quotation, so
    that it needs no care.
    """
    letters = np.frombuffer(text, np.uint8)
    feeds = letters == ord("\n")
    marks = letters == ord('"')
    inside = np.logical_xor.accumulate(marks) if marks.any() else None
    cuts = np.flatnonzero(feeds if inside is None else feeds & ~inside)
    starts = np.concatenate([[0], cuts + 1])
    ends = np.concatenate([cuts, [len(text)]])
    lines = np.searchsorted(np.flatnonzero(feeds), starts) + 1
    return _Rows(letters, inside, starts, ends, lines)


def _separator(header: str, usual: str) -> str:
    """The separator that is most frequent in the header; the usual one if none is."""
    counts = {mark: len(_names(header, mark)) for mark in (usual, *SEPARATORS)}
    # The first one of the greatest.
    return max(counts, key=lambda mark: counts[mark])


def _names(header: str, separator: str) -> tuple[str, ...]:
    """The fields of a header."""
    rows = list(csv.reader(io.StringIO(header), delimiter=separator))
    return tuple(name.strip() for name in rows[0]) if rows else ("",)


def _check_names(names: Sequence[str], header: str, origin: str) -> None:
    """Refuse a header that does not name columns."""
    message = ""
    if len(names) == 1:
        key = FULL_FORM.replace("KEY", "separator: ...")
        message = (
            f"the header has one column only, and a table needs a target and features. Fields are"
            f" separated by {listed(list(SEPARATORS.values()))}; for another separator write {key}."
        )
    elif all(_is_number(name) for name in names):
        message = "the names of the columns are wanted in the first line, and it has numbers only."
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice and not message:
        named = listed([repr(short(name)) for name in twice[:MOST_TOLD]])
        message = f"each column needs a name of its own. More than once: {named}."
    if message:
        raise InvalidData(Issue(f"{message} Received: {short(header)!r}.", "", origin, 1))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _check_widths(rows: _Rows, names: Sequence[str], separator: str, origin: str) -> None:
    """Refuse rows that have more or fewer fields than the header, and a quotation without end."""
    widths = rows.widths(separator)
    wrong = np.flatnonzero(widths != len(names))
    inside = rows.inside
    is_open = inside is not None and bool(inside[-1])
    if is_open and (not len(wrong) or wrong[0] == len(widths) - 1):
        message = 'a quotation mark (") is never closed in the row that begins in this line.'
        raise InvalidData(Issue(message, "", origin, int(rows.lines[-1])))
    if len(wrong):
        first = int(wrong[0])
        message = _about_width(rows.text(first), widths[1:], names, separator)
        raise InvalidData(Issue(message, "", origin, int(rows.lines[first])))


def _about_width(row: str, widths: NDArray[np.int64], names: Sequence[str], used: str) -> str:
    """What is wrong with a row of another width, and what may be the reason."""
    if not row.strip():
        return "this line is empty, and a row is wanted. Delete it."
    wanted = len(names)
    wrong = widths[widths != wanted]
    width = int(wrong[0])
    word = SEPARATORS.get(used, "separator")
    message = (
        f"this row has {counted(width, 'field')}, and the header has {wanted}."
        f" Received: {short(row)!r}."
    )
    if (widths == wanted + 1).all():
        return f"{message} All rows have one more: the first column has no name. Give it one."
    if len(wrong) > 1:
        message = f"{message} {len(wrong):,} rows in all are of another width."
    if '"' in row:
        return f"{message} A quotation mark within quotation marks is written twice."
    if width > wanted:
        return f'{message} A word with a {word} in it needs quotation marks (").'
    return f"{message} A gap is nothing between two {word}s."
