"""`space: auto`: the shipped space that suits the data, and the reason in one sentence.

A space says in its own file which data it suits, under `suits`. The choice is made once, when the
config is read: the config that is recorded names the space.
"""

from __future__ import annotations

import functools
from typing import Any

from evonas.data.look import Look
from evonas.errors import UserError
from evonas.genome import library, strict_yaml
from evonas.genome.space import Range, Suits
from evonas.words import listed

AUTO = "auto"
"""The word for a space that is chosen by the data."""


def choose(look: Look) -> tuple[str, str]:
    """The name of the space for such data, and why it is this one.

    Raises:
        UserError: no shipped space suits them.
    """
    for kind in look.kinds:
        known = _spaces_for(kind)
        for name, suits in known.items():
            if suits.fits(look.samples, look.size):
                return name, _reason(name, suits, look, list(known))
    named = listed(sorted({name for kind in look.kinds for name in _spaces_for(kind)}))
    shipped = ", ".join(library.names("spaces"))
    close = f"; {named} is for such samples, of another number or size" if named else ""
    raise UserError(
        f"no shipped space suits the data, {look.words}{close}. Name a space: {shipped}, or a path."
    )


def _reason(name: str, suits: Suits, look: Look, known: list[str]) -> str:
    """Why it is this space, in one sentence."""
    words = f"the space is {name}, because the data are {look.words}"
    ranges = []
    for what, range in (("samples", suits.samples), ("size", suits.size)):
        if range != (0, None):
            ranges.append(f"{what} {_between(range)}")
    if ranges and len(known) > 1:
        words += f" (of {listed(known)} it is the one for {listed(ranges)})"
    return words


def _between(range: Range) -> str:
    low, high = range
    if high is None:
        return f"from {low:,}"
    return f"up to {high:,}" if low == 0 else f"from {low:,} to {high:,}"


# Shipped files do not change while a process runs.
@functools.cache
def _spaces_for(kind: str) -> dict[str, Suits]:
    """The shipped spaces for a kind of input that say which data they suit, by name."""
    found = {}
    for name in library.names("spaces"):
        # Only two keys are needed, and a whole space takes a while to read.
        data: Any = strict_yaml.load_file(library.find("spaces", name)).data
        if data.get("input") == kind and "suits" in data:
            given = data["suits"] or {}
            found[name] = Suits(**{key: (low, high) for key, (low, high) in given.items()})
    return found
