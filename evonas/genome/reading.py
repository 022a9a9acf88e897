"""Reading a strict YAML document key by key, noting every problem instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evonas.errors import Issue, did_you_mean, switch_hint
from evonas.genome.strict_yaml import Document, KeyPath

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PLUGIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
MAX_EXACT = 2**53
"""Integers beyond are not exact as floats, and not in every JSON reader."""


def shown(value: object, limit: int = 80) -> str:
    """A value in an error message: as in YAML where that is plain, and short whatever it is."""
    if value is None:
        return "nothing"
    text = ("true" if value else "false") if isinstance(value, bool) else repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


class Reader:
    """A document and the problems found in it so far."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Issue] = []

    def wrong(self, path: KeyPath, message: str) -> None:
        """Notes a problem at a key."""
        self.problems.append(self.document.problem(path, message))

    def expected(self, path: KeyPath, allowed: str, received: object) -> None:
        """Notes that a key holds something that it may not hold."""
        hint = switch_hint(received) if "true" in allowed else ""
        self.wrong(
            path, f"must be {allowed}. Received: {shown(received)}{'.' + hint if hint else ''}"
        )

    def mapping(
        self, path: KeyPath, value: Any, example: str, empty: bool = False
    ) -> Mapping[str, Any]:
        """The mapping, or an empty one where it is none; nothing at all is a mapping where `empty` allows it."""
        if value is None and empty:
            return {}
        if isinstance(value, dict) and (value or empty):
            return value
        self.expected(path, f"a mapping, such as {example}", value)
        return {}

    def only(self, path: KeyPath, value: Mapping[str, Any], known: Sequence[str]) -> None:
        """Notes every key that is not among the known ones."""
        for key in value:
            if key not in known:
                hint = did_you_mean(key, known)
                self.wrong((*path, key), f"not known.{hint} Known here: {', '.join(known)}.")

    def word(self, path: KeyPath, value: Any, plugin: bool = False) -> bool:
        """Whether this is a name: letters, digits and `_`; or, for an op, `package.module:function`."""
        if isinstance(value, str) and (
            _WORD.fullmatch(value) or (plugin and _PLUGIN.fullmatch(value))
        ):
            return True
        also = ", or package.module:function" if plugin else ""
        self.expected(
            path, f"a name of letters, digits and _, not starting with a digit{also}", value
        )
        return False

    def one_of(self, path: KeyPath, value: Any, known: Sequence[str]) -> str | None:
        """One of the known words; None, and a problem, for another."""
        if isinstance(value, str) and value in known:
            return value
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        self.wrong(path, f"must be one of {', '.join(known)}.{hint} Received: {shown(value)}")
        return None

    def integer(self, path: KeyPath, value: Any, low: int, high: int) -> int | None:
        """An integer in [low, high]; None, and a problem, for anything else."""
        if type(value) is int and low <= value <= high:
            return value
        self.expected(path, f"an integer in [{low}, {high}]", value)
        return None

    def scalar(self, path: KeyPath, value: Any) -> bool:
        """Whether this may be a parameter's value: a word, a truth value, or a number that JSON keeps exact."""
        if isinstance(value, int) and abs(value) > MAX_EXACT:
            self.wrong(path, f"integers must be within 2**53 of 0. Received: {shown(value)}")
            return False
        if isinstance(value, str | int | float):
            return True
        self.expected(path, "a word (null only in quotes), true, false or a number", value)
        return False
