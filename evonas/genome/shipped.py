"""The search spaces that are shipped: what each says of itself, without reading all of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.genome import library, strict_yaml
from evonas.genome.space import Suits


@dataclass(frozen=True)
class ShippedSpace:
    """A shipped space as its file introduces it.

    Attributes:
        name: name by which a config has it.
        input: kind of the samples.
        about: what it is, in a sentence.
        paragraph: when to use it, from the comment at the top of its file; may be empty.
        suits: which data `space: auto` chooses it for; None for none.
    """

    name: str
    input: str
    about: str
    paragraph: str
    suits: Suits | None


# Shipped files do not change while a process runs.
@functools.cache
def shipped_spaces() -> tuple[ShippedSpace, ...]:
    """All of them, by name."""
    return tuple(_introduced(library.find("spaces", name)) for name in library.names("spaces"))


def _introduced(file: Path) -> ShippedSpace:
    # A whole space takes a while to read, and only these keys are needed.
    data: Any = strict_yaml.load_file(file).data
    suits = None
    if "suits" in data:
        given = data["suits"] or {}
        suits = Suits(**{key: (low, high) for key, (low, high) in given.items()})
    return ShippedSpace(
        name=data["space"],
        input=data["input"],
        about=data.get("about", ""),
        paragraph=_first_comment(file.read_text(encoding="utf-8")),
        suits=suits,
    )


def _first_comment(text: str) -> str:
    """The comment at the top of a file, as one line."""
    words = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words.append(line.removeprefix("#").strip())
    return " ".join(words)
