"""What was decided about the columns of a table, as plain JSON: another file can be read alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal["number", "category", "boolean", "date", "text", "ignore"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a column may hold. One to ignore is no feature."""

GAPS = ("?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A")
"""Words that mean that a value is missing; so does nothing at all."""

ANY_NAME = "*"
"""Stands for the name of a column that may be the only one, whatever it is called."""


@dataclass(frozen=True)
class Column:
    """A column that is used.

    Attributes:
        name: name in the header.
        kind: what it holds.
        form: how a date is written, as `strftime` has it; empty for other kinds.
    """

    name: str
    kind: Kind
    form: str = ""


@dataclass(frozen=True)
class Schema:
    """How a table is read.

    Attributes:
        features: columns of `x`, in order. One text alone is the whole of `x`.
        targets: columns of `y`.
        gaps: words that mean that a value is missing.
        separator: what separates the fields of a CSV; empty to look at its header.
        encoding: encoding of a CSV; empty for UTF-8.
        sequence: column of the ids of sequences, whose steps the rows are; empty if a row is a
            sample.
        order: column by which the steps of a sequence are sorted; empty for the order of the rows.
    """

    features: tuple[Column, ...]
    targets: tuple[Column, ...] = ()
    gaps: tuple[str, ...] = GAPS
    separator: str = ""
    encoding: str = ""
    sequence: str = ""
    order: str = ""

    @property
    def is_text(self) -> bool:
        """Whether samples are texts, not rows of a table."""
        return [column.kind for column in self.features] == ["text"]

    @property
    def alone(self) -> str:
        """The column that may be the only one of another file; empty if there are several.

        A column of texts is known without its name: there is nothing that it could be taken for.
        """
        if self.is_text:
            return ANY_NAME
        names = [column.name for column in self.features or self.targets]
        return names[0] if len(names) == 1 else ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes an equal schema."""
        data = asdict(self)
        # Most tables have none, and their schemas stay as they were recorded.
        for key in ("sequence", "order"):
            if not data[key]:
                del data[key]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        """The schema that `to_json` was called on."""
        features = [Column(**column) for column in data["features"]]
        targets = [Column(**column) for column in data["targets"]]
        gaps = tuple(data["gaps"])
        written = (data["separator"], data["encoding"])
        steps = (data.get("sequence", ""), data.get("order", ""))
        return cls(tuple(features), tuple(targets), gaps, *written, *steps)
