"""YAML without its surprises: 1.2 scalars, no duplicate keys, no anchors or tags.

PyYAML alone reads `1e-3` as a word, `no` as false and `1:30` as 90. Of two equal keys it keeps the
last. Here, only its parser is used, one event at a time. So a hostile file is refused before it
grows. Every problem has its line.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from evonas.errors import InvalidYaml, Issue

Key = str | int
KeyPath = tuple[Key, ...]

MAX_BYTES = 1 << 17
"""More than 20 times the largest space or config that comes with evonas."""
MAX_DEPTH = 32
MAX_NODES = 20_000
"""A value costs PyYAML some 30 microseconds, so a file takes about a second at most."""
MAX_INTEGER = 2**64

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_BASES = {"0o": 8, "0x": 16}
_LONGEST_INTEGER = 80
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def key_text(path: KeyPath) -> str:
    """A key path as the user reads it: `network.features.length[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif text:
            text += f".{short(key)}"
        else:
            text = short(key)
    return text


def printable(text: str) -> str:
    """The text as it is, or with escapes if it would spoil a line or a terminal."""
    if text.isprintable():
        return text
    return ascii(text)


def short(text: str, most: int = 80) -> str:
    """The user's own word, as it can stand within a message: printable, and cut if it is long."""
    text = printable(text)
    if len(text) <= most:
        return text
    return text[: most - 3] + "..."


@dataclass(frozen=True)
class Document:
    """One YAML file, read.

    Attributes:
        data: dicts with words as keys, lists, and scalars (str, int, float, bool, None).
        file: the file's path as the user wrote it.
        text: the text that was read.
    """

    data: Any
    file: str
    text: str = field(default="", repr=False)
    _lines: dict[KeyPath, int] = field(default_factory=dict, repr=False, compare=False)

    def line(self, key_path: KeyPath) -> int:
        """The line, from 1, of a key or of the nearest parent in the file; 0 for an empty file."""
        for end in range(len(key_path), -1, -1):
            parent = key_path[:end]
            if parent in self._lines:
                return self._lines[parent]
        return 0

    def problem(self, key_path: KeyPath, message: str) -> Issue:
        """A problem at a key of this file."""
        return Issue(
            message,
            key=key_text(key_path),
            file=self.file,
            line=self.line(key_path),
        )


def load(text: str, file: str) -> Document:
    """Reads one document.

    Args:
        text: the file's content.
        file: the file's path, for messages.

    Raises:
        InvalidYaml: the text is no YAML, or its meaning differs from what it seems to say. The
            message names the file and the line.
    """
    # A character is at least one byte, so a huge text is refused without being encoded.
    size = len(text)
    if size <= MAX_BYTES:
        size = len(text.encode("utf-8", "surrogatepass"))
    _check_size(size, file)
    return _Builder(text, file).build()


def load_file(path: str | Path) -> Document:
    """Reads a file.

    Raises:
        InvalidYaml: the file cannot be read, is not UTF-8, or is refused by `load`.
    """
    file = str(path)
    content = _read(path)
    try:
        # With `-sig`, because some editors put a byte order mark at the start.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidYaml(Issue("not UTF-8 text.", file=file, line=line)) from None
    return load(text, file)


def _read(path: str | Path) -> bytes:
    """The content of a file that is not too large."""
    file = str(path)
    try:
        with Path(path).open("rb") as stream:
            # One byte more than allowed is enough to see that a file is too large.
            content = stream.read(MAX_BYTES + 1)
            size = os.fstat(stream.fileno()).st_size
    except FileNotFoundError:
        raise InvalidYaml(Issue("no such file.", file=file)) from None
    except IsADirectoryError:
        raise InvalidYaml(Issue("is a directory, not a YAML file.", file=file)) from None
    except (OSError, ValueError) as error:
        # A path with a null byte is a ValueError.
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidYaml(Issue(f"cannot be read: {reason}.", file=file)) from None
    # A pipe has no size of its own, so what was read counts, too.
    _check_size(max(size, len(content)), file)
    return content


def _check_size(size: int, file: str) -> None:
    """Refuses a large file before it is parsed, because the parser is slow.

    Args:
        size: bytes that the file has at least.
    """
    if size > MAX_BYTES:
        text = f"too large: at least {size:,} bytes; at most {MAX_BYTES:,} are allowed."
        raise InvalidYaml(Issue(text, file=file))


class _Loader(yaml.SafeLoader):
    """PyYAML's parser, whose every error has a line.

    It converts the digits of an escape and of a directive itself. A number that is too large is a
    ValueError or an OverflowError there.
    """

    def fetch_more_tokens(self) -> None:
        try:
            super().fetch_more_tokens()
        except (ValueError, OverflowError):
            problem = "the number of an escape or of a directive is too large"
            raise yaml.scanner.ScannerError(None, None, problem, self.get_mark()) from None


class _Builder:
    """Turns the parser's events into plain data, and notes the line of every key."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._lines: dict[KeyPath, int] = {}
        self._nodes = 0

    def build(self) -> Document:
        """The document; whatever PyYAML raises becomes an `InvalidYaml`."""
        try:
            return self._document(yaml.parse(self._text, Loader=_Loader))
        except yaml.MarkedYAMLError as error:
            raise InvalidYaml(_marked_issue(error, self._file, self._text)) from None
        except yaml.reader.ReaderError as error:
            before = self._text[: error.position]
            line = before.count("\n") + 1
            character = chr(int(error.character))
            message = f"not valid YAML: the character {character!r} is not allowed."
            raise InvalidYaml(Issue(message, file=self._file, line=line)) from None

    def _document(self, events: Iterator[yaml.Event]) -> Document:
        data: Any = None
        documents = 0
        for event in events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            documents += 1
            if documents > 1:
                self._refuse("a second document (after `---`); one is allowed.", event)
            if event.version or event.tags:
                self._refuse("a directive (a line that starts with %) is not allowed.", event)
            data = self._node(next(events), events, ())
        return Document(data, self._file, self._text, self._lines)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath) -> Any:
        """The value that starts with this event; recursion is bounded by MAX_DEPTH."""
        # The line of a value in a mapping is noted already: the line of its key.
        self._lines.setdefault(path, _line(event))
        self._guard(event, path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path)

    def _sequence(self, events: Iterator[yaml.Event], path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            here = (*path, len(items))
            item = self._node(event, events, here)
            items.append(item)
        return items

    def _mapping(self, events: Iterator[yaml.Event], path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, path, mapping)
            here = (*path, key)
            self._lines[here] = _line(event)
            first = next(events)
            mapping[key] = self._node(first, events, here)
        return mapping

    def _guard(self, event: yaml.Event, path: KeyPath) -> None:
        """Refuses a node if its meaning is hidden elsewhere, or if the file grows without end."""
        # An alias is an event with an anchor, too.
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            name = event.anchor
            self._refuse(
                f"anchors (&{name}) and aliases (*{name}) are not allowed: write the value out.",
                event,
                path,
            )
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            tag = event.tag
            if tag is not None:
                self._refuse(f"tags (here {tag!r}) are not allowed.", event, path)
        if len(path) > MAX_DEPTH:
            # The whole path would fill the screen.
            self._refuse(f"nested more than {MAX_DEPTH} deep.", event, path[:4])
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(f"more than {MAX_NODES:,} values; a file may have that many.", event, path)

    def _key(self, event: yaml.Event, path: KeyPath, mapping: dict[str, Any]) -> str:
        """A key of a mapping, given the keys before it."""
        self._guard(event, path)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse("a key must be a word, not a list or a mapping.", event, path)
        # In quotes, `<<` is a word like any other.
        if event.style is None and event.value == "<<":
            self._refuse("merge keys (<<) are not allowed: write the values out.", event, path)
        key = self._scalar(event, path)
        if not isinstance(key, str):
            received = event.value or "nothing"
            self._refuse(
                f"a key must be a word. Received: {received}. Put it in quotes.",
                event,
                path,
            )
        if key in mapping:
            first = self._lines[(*path, key)]
            self._refuse(f"twice the same key; the first is on line {first}.", event, (*path, key))
        return key

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> str | int | float | bool | None:
        """Resolves a plain scalar by the core schema of YAML 1.2; a quoted one is a word."""
        text: str = event.value
        if event.style is not None:
            return self._quoted(event, path)
        if text in _WORDS:
            return _WORDS[text]
        # Before floats: the pattern of a float fits an integer, too.
        if _INTEGER.fullmatch(text):
            return self._integer(event, path)
        is_float = _FLOAT.fullmatch(text) is not None
        if is_float:
            # -0.0 becomes 0.0: they are equal, but print differently.
            number = float(text) + 0.0
            if math.isfinite(number):
                return number
        if is_float or _NOT_FINITE.fullmatch(text):
            self._refuse(f"numbers must be finite. Received: {text[:80]}", event, path)
        return text

    def _quoted(self, event: yaml.ScalarEvent, path: KeyPath) -> str:
        text: str = event.value
        try:
            # JSON writes a character beyond 16 bits as two escapes. This joins them again.
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse("half of a surrogate pair is not text.", event, path)

    def _integer(self, event: yaml.ScalarEvent, path: KeyPath) -> int:
        text: str = event.value
        base = _BASES.get(text[:2], 10)
        # Python needs long for a long text, and refuses one of more than 4,300 digits.
        number = MAX_INTEGER + 1
        if len(text) <= _LONGEST_INTEGER:
            number = int(text, base)
        if abs(number) > MAX_INTEGER:
            self._refuse("an integer beyond 2**64.", event, path)
        return number

    def _refuse(self, message: str, event: yaml.Event, path: KeyPath = ()) -> NoReturn:
        raise InvalidYaml(
            Issue(
                message,
                key=key_text(path),
                file=self._file,
                line=_line(event),
            )
        )


_AFTER_A_BARE_WORD = ("mapping values are not allowed", "but found '<block mapping start>'")
"""What the parser says of a line below one that lacks its colon."""


def _marked_issue(error: yaml.MarkedYAMLError, file: str, text: str) -> Issue:
    """What the parser says, on one line."""
    message = "not valid YAML"
    if error.context:
        message += f" {error.context}"
    problem = error.problem or "unknown problem"
    message = f"{message}: {problem}".replace("\n", " ")
    # The parser names a tab by its escape, `\t`.
    hint = ""
    if "\\t" in message:
        hint = " Indent with spaces, not tabs."
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    if any(words in message for words in _AFTER_A_BARE_WORD):
        hint = _colon_hint(text.splitlines()[: line - 1])
    return Issue(f"{message}.{hint}", file=file, line=line)


def _colon_hint(above: list[str]) -> str:
    """A hint if the line above lacks a colon: the parser complains of the next one.

    Args:
        above: all lines above the place of the error.
    """
    for number in range(len(above), 0, -1):
        words = above[number - 1].partition("#")[0].strip()
        if words:
            return "" if ":" in words else f" Perhaps a colon is missing in line {number}."
    return ""


def _line(event: yaml.Event) -> int:
    """The line of an event, from 1; 0 if it has none."""
    if event.start_mark is None:
        return 0
    line: int = event.start_mark.line + 1
    return line
