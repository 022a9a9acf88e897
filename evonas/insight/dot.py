"""The genealogy as Graphviz's DOT, plain text: `dot -Tsvg` draws it, if Graphviz is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evonas.insight.words import shortened
from evonas.words import clean, number

if TYPE_CHECKING:
    import networkx as nx

MOST_CHANGES = 3
LONGEST = 60


def to_dot(graph: nx.DiGraph[int], marked: int | None = None) -> str:
    """A digraph of a genealogy, or of a part of it.

    A node has its trial's id, and its value or failure. An edge has the operator and the first few
    changes. An edge is dashed if it does not come from the main parent. A node is dashed if its
    trial failed or is a duplicate.

    Args:
        graph: as `genealogy` makes it.
        marked: id of the trial that is drawn thick.
    """
    lines = [
        "digraph genealogy {",
        "  graph [rankdir=TB];",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        '  edge [fontname="sans-serif", fontsize=9];',
    ]
    for node in sorted(graph):
        data = graph.nodes[node]
        label = _label(_told(node, data))
        style = _style(data, node == marked)
        lines.append(f"  {node} [label={label}{style}];")
    for parent, child in sorted(graph.edges):
        data = graph.edges[parent, child]
        label = _label(_done(data))
        style = "" if data["main"] else ", style=dashed"
        lines.append(f"  {parent} -> {child} [label={label}{style}];")
    lines.append("}")
    return "\n".join(lines) + "\n"


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
