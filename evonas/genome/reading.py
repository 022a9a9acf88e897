"""Reading a strict YAML document key by key.

Every problem is noted; reading does not stop at the first one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evonas.errors import Issue, did_you_mean, switch_hint
from evonas.genome.strict_yaml import Document, KeyPath
from evonas.words import LETTERS

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PLUGIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
MAX_EXACT = 2**53
"""Integers beyond are not exact as floats, and not in every JSON reader."""


def shown(value: object, limit: int = 80) -> str:
    """A value in an error message: as in YAML if that is plain, and cut if it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    if len(text) <= limit:
        return text
    return text[: limit - 3] + "..."


class Reader:
    """A document and the problems found in it so far.

    In all methods, `path` is the place of the value in the document.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Issue] = []

    def wrong(self, path: KeyPath, message: str) -> None:
        """Notes a problem at a key."""
        issue = self.document.problem(path, message)
        self.problems.append(issue)

    def expected(self, path: KeyPath, allowed: str, received: object) -> None:
        """Notes that a key holds something that it may not hold."""
        message = f"must be {allowed}. Received: {shown(received)}"
        # Only where a switch is allowed: elsewhere, `no` may be meant as the word.
        if "true" in allowed:
            hint = switch_hint(received)
            if hint:
                message += f".{hint}"
        self.wrong(path, message)

    def mapping(
        self, path: KeyPath, value: Any, example: str, empty: bool = False
    ) -> Mapping[str, Any]:
        """The mapping; an empty one, with a problem, if the value is no mapping.

        Args:
            example: what is allowed, for the message.
            empty: whether the mapping may be empty. A key without a value is one then, too.
        """
        if value is None and empty:
            return {}
        if isinstance(value, dict) and (value or empty):
            return value
        self.expected(path, f"a mapping, such as {example}", value)
        return {}

    def only(self, path: KeyPath, value: Mapping[str, Any], known: Sequence[str]) -> None:
        """Notes every key that is not among the known ones."""
        for key in value:
            if key in known:
                continue
            hint = did_you_mean(key, known)
            listed = ", ".join(known)
            self.wrong(
                (*path, key),
                f"not known.{hint} Known here: {listed}.",
            )

    def word(self, path: KeyPath, value: Any, plugin: bool = False) -> bool:
        """Whether this is a name of `LETTERS`, digits and `_`.

        Args:
            plugin: whether `package.module:function` is allowed, too, as for an op.
        """
        if isinstance(value, str):
            if _WORD.fullmatch(value):
                return True
            if plugin and _PLUGIN.fullmatch(value):
                return True
        also = ", or package.module:function" if plugin else ""
        allowed = f"a name of {LETTERS}, digits and _, not starting with a digit{also}"
        self.expected(path, allowed, value)
        return False

    def one_of(self, path: KeyPath, value: Any, known: Sequence[str]) -> str | None:
        """One of the known words; None, with a problem, for any other value."""
        if isinstance(value, str) and value in known:
            return value
        hint = ""
        if isinstance(value, str):
            hint = did_you_mean(value, known)
        listed = ", ".join(known)
        self.wrong(path, f"must be one of {listed}.{hint} Received: {shown(value)}")
        return None

    def integer(self, path: KeyPath, value: Any, low: int, high: int) -> int | None:
        """An integer in [low, high]; None, with a problem, for any other value."""
        # Not `isinstance`: True is an int for Python.
        if type(value) is int and low <= value <= high:
            return value
        self.expected(path, f"an integer in [{low}, {high}]", value)
        return None

    def scalar(self, path: KeyPath, value: Any) -> bool:
        """Whether this may be a parameter's value.

        That is a word, a truth value, or a number that JSON keeps exact.
        """
        if isinstance(value, int) and abs(value) > MAX_EXACT:
            text = f"integers must be within 2**53 of 0. Received: {shown(value)}"
            self.wrong(path, text)
            return False
        if isinstance(value, str | int | float):
            return True
        self.expected(path, "a word (null only in quotes), true, false or a number", value)
        return False
