"""Indented JSON as `json.dumps(data, indent=2)` writes it, but in pieces, and in less time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

INDENT = "  "

# Python's own encoder is written in C unless it has to indent. So it writes what is no container.
_OTHER = json.JSONEncoder(allow_nan=False).encode


def indented(value: Any, margin: str = "") -> str:
    """A value as JSON; all lines but the first one begin with the margin.

    Raises:
        ValueError: a number is not finite.
        TypeError: a value is none of JSON's, or a key is no string.
    """
    inner = margin + INDENT
    if isinstance(value, dict):
        if not value:
            return "{}"
        entries = [f"{_key(key)}: {indented(item, inner)}" for key, item in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list | tuple):
        if not value:
            return "[]"
        entries = [indented(item, inner) for item in value]
        opening, closing = "[", "]"
    else:
        return _leaf(value)
    between = f",\n{inner}"
    return f"{opening}\n{inner}{between.join(entries)}\n{margin}{closing}"


def _leaf(value: Any) -> str:
    """A value that is no container."""
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    # By the exact type: True is an int, and the state of a trial is a kind of str.
    if kind is int or (kind is float and math.isfinite(value)):
        return repr(value)
    return _OTHER(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of JSON is a string. Received: {key!r}")
    return _known_key(key)


# The same few keys come again in each row.
_known_key = lru_cache(maxsize=1024)(encode_basestring_ascii)


def with_rows(head: Mapping[str, Any], name: str, rows: Iterable[Any]) -> Iterator[str]:
    """A JSON object in pieces, whose last entry is a list: one piece for each of its rows.

    Args:
        head: the entries before the list.
        name: key of the list.
        rows: the rows, each of which is written before the next one is asked for.
    """
    entries = [f"{_key(key)}: {indented(item, INDENT)}" for key, item in head.items()]
    entries.append(f"{_key(name)}: [")
    between = f",\n{INDENT}"
    yield f"{{\n{INDENT}{between.join(entries)}"
    margin = 2 * INDENT
    before = f"\n{margin}"
    end = "]"
    for row in rows:
        yield before + indented(row, margin)
        before = f",\n{margin}"
        end = f"\n{INDENT}]"
    yield f"{end}\n}}"
