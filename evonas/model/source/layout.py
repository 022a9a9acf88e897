"""Expressions of Python, and how they are laid out: as ruff's formatter would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 88
"""Columns of a line, ruff's own default."""

STEP = "    "


@dataclass(frozen=True)
class Group:
    """An expression in brackets: a call, a list, a tuple or a mapping.

    Attributes:
        opening: all up to the opening bracket, `layers.Dense(`.
        items: what is between the brackets; each with the text before it, `units=`.
        closing: the closing bracket.
    """

    opening: str
    items: Sequence[tuple[str, Expression]]
    closing: str = ")"

    @property
    def in_line(self) -> str:
        """The expression on one line."""
        inner = ", ".join(before + in_line(item) for before, item in self.items)
        # A tuple of one needs its comma.
        comma = "," if self.opening == "(" and len(self.items) == 1 else ""
        return f"{self.opening}{inner}{comma}{self.closing}"


Expression = str | Group
"""A text that is not broken, or a group that may be."""


def in_line(expression: Expression) -> str:
    """An expression on one line."""
    return expression if isinstance(expression, str) else expression.in_line


def laid_out(before: str, expression: Expression, indent: int) -> list[str]:
    """An expression as lines, with an item a line if one line is too short for all.

    Args:
        before: text before it, such as `x = `.
        indent: number of steps by which the lines are indented.
    """
    return _lines(before, expression, STEP * indent, after="")


def _lines(before: str, expression: Expression, margin: str, after: str) -> list[str]:
    line = f"{margin}{before}{in_line(expression)}{after}"
    if isinstance(expression, str) or not expression.items or len(line) <= WIDTH:
        return [line]
    lines = [f"{margin}{before}{expression.opening}"]
    for name, item in expression.items:
        lines += _lines(name, item, margin + STEP, after=",")
    lines.append(f"{margin}{expression.closing}{after}")
    return lines


def quoted(word: str) -> str:
    """A word as a literal, in double quotes as the formatter has it."""
    plain = repr(word)
    if plain.startswith("'") and '"' not in word and "\\" not in plain:
        return f'"{plain[1:-1]}"'
    if plain.startswith('"') or '"' in word:
        return plain
    # Escapes of Python and of JSON are the same for all that is in a word without a lone surrogate.
    return json.dumps(word)
