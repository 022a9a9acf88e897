"""YAML without its surprises: 1.2 scalars, no duplicate keys, no anchors or tags, and a line for every problem.

PyYAML alone reads `1e-3` as a word, `no` as false and `1:30` as 90, and keeps the last of two equal keys. Only its
parser is used here, one event at a time, so that a hostile file is refused before it grows.
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
"""A value costs PyYAML some 30 microseconds, so that no file is worth more than about a second."""
MAX_INTEGER = 2**64

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def key_text(path: KeyPath) -> str:
    """A key path as the user reads it: `network.features.length[0]`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return printable(text)


def printable(text: str) -> str:
    """The text as it is, or with escapes where it would spoil a line or a terminal."""
    return text if text.isprintable() else ascii(text)


@dataclass(frozen=True)
class Document:
    """One YAML file, read.

    Attributes:
        data: dicts with words as keys, lists, and scalars (str, int, float, bool, None).
        file: its path as the user wrote it.
        text: what was read.
    """

    data: Any
    file: str
    text: str = field(default="", repr=False)
    _lines: dict[KeyPath, int] = field(default_factory=dict, repr=False, compare=False)

    def line(self, key_path: KeyPath) -> int:
        """The line, from 1, of a key or of the nearest parent that the file has; 0 for an empty file."""
        for end in range(len(key_path), -1, -1):
            if key_path[:end] in self._lines:
                return self._lines[key_path[:end]]
        return 0

    def problem(self, key_path: KeyPath, message: str) -> Issue:
        """A problem at a key of this file."""
        return Issue(message, key_text(key_path), self.file, self.line(key_path))


def load(text: str, file: str) -> Document:
    """Reads one document.

    Args:
        text: the file's content.
        file: its path, for messages.

    Raises:
        InvalidYaml: not YAML, or YAML that means something else than it seems to; names the file and the line.
    """
    # A character is at least one byte: the first test keeps a huge text from being encoded.
    size = len(text) if len(text) > MAX_BYTES else len(text.encode("utf-8", "surrogatepass"))
    _check_size(size, file)
    return _Builder(text, file).build()


def load_file(path: str | Path) -> Document:
    """Reads a file.

    Raises:
        InvalidYaml: the file cannot be read, is not UTF-8, or is refused by `load`.
    """
    file = str(path)
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
            size = max(
                os.fstat(stream.fileno()).st_size, len(content)
            )  # a pipe has none of its own
    except FileNotFoundError:
        raise InvalidYaml(Issue("no such file.", file=file)) from None
    except IsADirectoryError:
        raise InvalidYaml(Issue("is a directory, not a YAML file.", file=file)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidYaml(Issue(f"cannot be read: {reason}.", file=file)) from None
    _check_size(size, file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidYaml(Issue("not UTF-8 text.", file=file, line=line)) from None
    return load(text, file)


def _check_size(size: int, file: str) -> None:
    """Refuse before parsing: the parser is slow. The size is in bytes, and may be less than all of them."""
    if size > MAX_BYTES:
        raise InvalidYaml(
            Issue(
                f"too large: at least {size:,} bytes; at most {MAX_BYTES:,} are allowed.", file=file
            )
        )


class _Builder:
    """Turns the parser's events into plain data, and notes the line of every key."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._lines: dict[KeyPath, int] = {}
        self._nodes = 0

    def build(self) -> Document:
        try:
            return self._document(yaml.parse(self._text, Loader=yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = f" {error.context}" if error.context else ""
            problem = f"not valid YAML{context}: {error.problem or 'unknown problem'}".replace(
                "\n", " "
            )
            hint = " Indent with spaces, not tabs." if "\\t" in problem else ""
            raise InvalidYaml(
                Issue(f"{problem}.{hint}", file=self._file, line=mark.line + 1 if mark else 0)
            ) from None
        except yaml.reader.ReaderError as error:
            line = self._text[: error.position].count("\n") + 1
            message = f"not valid YAML: the character {chr(int(error.character))!r} is not allowed."
            raise InvalidYaml(Issue(message, file=self._file, line=line)) from None
        except (yaml.YAMLError, ValueError) as error:
            message = f"not valid YAML: {' '.join(str(error).split())}."
            raise InvalidYaml(Issue(message, file=self._file)) from None

    def _document(self, events: Iterator[yaml.Event]) -> Document:
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse("a second document (after `---`); one is allowed.", event)
                if event.version or event.tags:
                    self._refuse("a directive (a line that starts with %) is not allowed.", event)
                data = self._node(next(events), events, ())
        return Document(data, self._file, self._text, self._lines)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: KeyPath) -> Any:
        """The value that starts with this event; recursion is bounded by MAX_DEPTH."""
        self._lines.setdefault(path, _line(event))
        self._guard(event, path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._node(item, events, (*path, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(entry := next(events), yaml.MappingEndEvent):
            key = self._key(entry, path, mapping)
            here = (*path, key)
            self._lines[here] = _line(entry)
            mapping[key] = self._node(next(events), events, here)
        return mapping

    def _guard(self, event: yaml.Event, path: KeyPath) -> None:
        """Refuses what makes a file mean more than it shows, or grow without end."""
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:  # also of an alias
            name = event.anchor
            self._refuse(
                f"anchors (&{name}) and aliases (*{name}) are not allowed: write the value out.",
                event,
                path,
            )
        if (
            isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
            and event.tag is not None
        ):
            self._refuse(f"tags (here {event.tag!r}) are not allowed.", event, path)
        if len(path) > MAX_DEPTH:
            self._refuse(f"nested more than {MAX_DEPTH} deep.", event, path[:4])
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(f"more than {MAX_NODES:,} values; a file may have that many.", event, path)

    def _key(self, event: yaml.Event, path: KeyPath, mapping: dict[str, Any]) -> str:
        self._guard(event, path)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse("a key must be a word, not a list or a mapping.", event, path)
        if event.style is None and event.value == "<<":
            self._refuse("merge keys (<<) are not allowed: write the values out.", event, path)
        key = self._scalar(event, path)
        if not isinstance(key, str):
            self._refuse(
                f"a key must be a word. Received: {event.value or 'nothing'}. Put it in quotes.",
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
            try:  # JSON writes a character beyond 16 bits as two escapes
                return text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                self._refuse("half of a surrogate pair is not text.", event, path)
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            number = int(text, base) if len(text) <= 80 else MAX_INTEGER + 1
            if abs(number) > MAX_INTEGER:
                self._refuse("an integer beyond 2**64.", event, path)
            return number
        if _FLOAT.fullmatch(text):
            value = float(text) + 0.0  # -0.0 becomes 0.0: they print alike
            if math.isfinite(value):
                return value
        if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
            self._refuse(f"numbers must be finite. Received: {text[:80]}", event, path)
        return text

    def _refuse(self, message: str, event: yaml.Event, path: KeyPath = ()) -> NoReturn:
        raise InvalidYaml(Issue(message, key_text(path), self._file, _line(event)))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
