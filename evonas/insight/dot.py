"""The genealogy as Graphviz's DOT, plain text: `dot -Tsvg` draws it, if Graphviz is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evonas.insight.family import Family
from evonas.insight.words import shortened
from evonas.words import clean, number

MOST_CHANGES = 3
LONGEST = 60


def dot(family: Family, marked: int | None = None) -> Iterator[str]:
    """A digraph of a family, line by line.

    A node has its trial's id, and its value or failure. An edge has the operator and the first few
    changes. An edge is dashed if it does not come from the main parent. A node is dashed if its
    trial failed or is a duplicate.

    Args:
        marked: id of the trial that is drawn thick.
    """
    yield "digraph genealogy {\n"
    yield "  graph [rankdir=TB];\n"
    yield '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];\n'
    yield '  edge [fontname="sans-serif", fontsize=9];\n'
    for node, data in family.nodes():
        label = _label(_told(node, data))
        style = _style(data, node == marked)
        yield f"  {node} [label={label}{style}];\n"
    for parent, child, data in family.edges():
        label = _label(_done(data))
        style = "" if data["main"] else ", style=dashed"
        yield f"  {parent} -> {child} [label={label}{style}];\n"
    yield "}\n"


def _told(node: int, data: dict[str, Any]) -> list[str]:
    """The lines of a node."""
    value = data["state"]
    if data["fitness"] is not None:
        value = number(data["fitness"])
    told = [f"trial {node}", value]
    twin_of = data["twin_of"]
    if twin_of is not None:
        told.append(f"twin of {twin_of}")
    return told


def _style(data: dict[str, Any], marked: bool) -> str:
    if marked:
        return ", penwidth=3"
    if data["fitness"] is None or data["twin_of"] is not None:
        return ', style="rounded,dashed"'
    return ""


def _done(data: dict[str, Any]) -> list[str]:
    """The lines of an edge."""
    changes = data["changes"]
    done = [data["operator"]]
    done += changes[:MOST_CHANGES]
    more = len(changes) - MOST_CHANGES
    if more > 0:
        done.append(f"and {more} more")
    return done


def _label(lines: list[str]) -> str:
    """A quoted string of several lines."""
    safe = []
    for line in lines:
        short = shortened(clean(line), LONGEST)
        # A backslash would begin one of Graphviz's own escapes, such as the name of the node. It
        # is doubled before the quotes get backslashes of their own.
        doubled = short.replace("\\", "\\\\")
        safe.append(doubled.replace('"', '\\"'))
    return '"' + "\\n".join(safe) + '"'
