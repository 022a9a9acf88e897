"""`evonas ops`: what a gene may be, and the parameters of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import JsonOption
from evonas.invocation import command as command_line

if TYPE_CHECKING:
    from evonas.model.op_texts import OpText

NAME = "ops"


def command(
    op: Annotated[
        str | None, typer.Argument(metavar="[OP]", help="One op in detail, such as `conv2d`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the ops that a search space may name, with their parameters; or show one in detail.

    Ops of your own are functions of yours: see docs/your-own-op.md.
    """
    from evonas.cli.console import print_json
    from evonas.model.op_texts import op_text, op_texts

    found = op_texts() if op is None else [op_text(op)]
    if as_json:
        plain = [_as_plain(one) for one in found]
        print_json(plain if op is None else plain[0])
    elif op is None:
        _print_all(found)
    else:
        _print_one(found[0])


def _as_plain(op: OpText) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(op)


def _print_all(found: Sequence[OpText]) -> None:
    """A line an op, group by group."""
    from evonas.cli.console import console, say

    out = console()
    group = ""
    for op in found:
        if op.group != group:
            group = op.group
            out.print()
            say(out, f"{'The network' if group == 'network' else f'settings.{group}'}:")
        names = [one.name if one.is_required else f"[{one.name}]" for one in op.parameters]
        say(out, "  ", (op.name, "bold"), f"({', '.join(names)}): {op.summary}")
    out.print()
    say(out, "Parameters in brackets may be left out.")
    say(out, f"To see one in detail:  {command_line('ops', found[0].name)}")


def _print_one(op: OpText) -> None:
    """What an op is, and what each of its parameters means."""
    from evonas.cli.console import console, say

    out = console()
    place = "the network" if op.group == "network" else f"settings.{op.group}"
    say(out, (op.name, "bold"), f", an op of {place}")
    for paragraph in op.about.split("\n"):
        say(out, paragraph)
    if op.takes:
        gives = "the same" if op.gives == "same" else op.gives
        say(out, f"Takes: {', '.join(op.takes)}. Gives: {gives}.")
    if not op.parameters:
        say(out, "It has no parameters.")
        return
    for one in op.parameters:
        default = "must be given"
        if not one.is_required:
            default = f"default: {one.default}" if one.default else "may be left out"
        out.print()
        say(out, "  ", (one.name, "bold"), f" ({default})")
        for words in filter(None, (one.about, f"Allowed: {one.allowed}.")):
            say(out, f"    {words}")
