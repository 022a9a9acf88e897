"""`evonas spaces`: the search spaces that are shipped, and what each is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evonas.cli.options import JsonOption
from evonas.invocation import command as command_line

if TYPE_CHECKING:
    from evonas.genome.shipped import ShippedSpace

NAME = "spaces"


def command(as_json: JsonOption = False) -> None:
    """List the search spaces that come with evonas: for which data each is, and when to use it.

    `evonas space NAME` shows one of them in detail.
    """
    from evonas.cli.console import console, print_json, say
    from evonas.genome.shipped import shipped_spaces

    found = shipped_spaces()
    if as_json:
        print_json([_as_plain(space) for space in found])
        return
    out = console()
    for space in found:
        say(out, (space.name, "bold"), f" (input: {space.input}). {space.about}")
        if space.paragraph:
            say(out, f"  {space.paragraph}")
        if space.suits is not None:
            say(out, f"  `space: auto` takes it for {_suited(space)}.")
        out.print()
    say(out, f"To look at one:  {command_line('space', found[0].name)}")


def _suited(space: ShippedSpace) -> str:
    """The data for which it is chosen, in words."""
    assert space.suits is not None
    words = f"data of kind {space.input}"
    ranges = space.suits.in_words()
    return f"{words} with {ranges}" if ranges else words


def _as_plain(space: ShippedSpace) -> dict[str, Any]:
    suits = None
    if space.suits is not None:
        suits = {"samples": list(space.suits.samples), "size": list(space.suits.size)}
    return {
        "space": space.name,
        "input": space.input,
        "about": space.about,
        "when": space.paragraph,
        "suits": suits,
    }
