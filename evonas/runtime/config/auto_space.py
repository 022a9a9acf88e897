"""`space: auto`: the shipped space that suits the data, and the reason in one sentence.

A space says in its own file which data it suits, under `suits`. The choice is made once, when the
config is read: the config that is recorded names the space.
"""

from __future__ import annotations

from evonas.data.look import Look
from evonas.errors import UserError
from evonas.genome import library
from evonas.genome.shipped import shipped_spaces
from evonas.genome.space import Suits
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
    ranges = suits.in_words()
    if ranges and len(known) > 1:
        words += f" (of {listed(known)} it is the one for {ranges})"
    return words


def _spaces_for(kind: str) -> dict[str, Suits]:
    """The shipped spaces for a kind of input that say which data they suit, by name."""
    found = {}
    for space in shipped_spaces():
        if space.input == kind and space.suits is not None:
            found[space.name] = space.suits
    return found
